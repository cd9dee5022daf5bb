-- A source of one long string.
-- error: memory_limit
return load("return '" .. ("x"):rep(2e7) .. "'")
