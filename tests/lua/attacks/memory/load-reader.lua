-- A reader that gives more than there is room for.
-- error: memory_limit
return load(function() return ("x"):rep(1e6) end)
