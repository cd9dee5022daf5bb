-- A comparison runs out of memory.
-- error: memory_limit
while true do pcall(table.sort, {3, 2, 1}, function() return ("x"):rep(1e9) end) end
