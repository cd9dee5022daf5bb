-- A comparison without any order.
-- error: cpu_limit
while true do pcall(table.sort, {3, 1, 2, 5, 4}, function() return true end) end
