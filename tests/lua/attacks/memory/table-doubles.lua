-- A list that doubles when it has to grow.
-- error: memory_limit
local list = {}
for index = 1, 1e9 do list[index] = index end
