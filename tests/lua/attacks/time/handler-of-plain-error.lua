-- The handler runs before the stack unwinds.
-- error: cpu_limit
xpcall(error, function() while true do end end, "x")
