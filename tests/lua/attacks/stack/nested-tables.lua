-- The compiler recurses for tables.
-- result: null
return (load("return " .. ("{"):rep(1e5) .. ("}"):rep(1e5)))
