-- The handler runs out of memory itself.
-- error: memory_limit
xpcall(error, function() return ("x"):rep(1e9) end, "x")
