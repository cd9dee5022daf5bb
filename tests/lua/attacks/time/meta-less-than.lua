-- table.sort compares by __lt.
-- error: cpu_limit
local list, meta = {}, {__lt = function() while true do end end}
for index = 1, 9 do list[index] = setmetatable({}, meta) end
table.sort(list)
