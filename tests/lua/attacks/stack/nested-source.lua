-- The compiler recurses.
-- result: [null, "C stack overflow"]
return load("return " .. ("("):rep(1e5))
