-- A handler that protects a loop of its own.
-- error: cpu_limit
xpcall(error, function() while true do pcall(function() while true do end end) end end, "x")
