-- One C call that takes long, again and again.
-- error: cpu_limit
local list = {}
for index = 1, 1e5 do list[index] = index end
while true do table.sort(list) end
