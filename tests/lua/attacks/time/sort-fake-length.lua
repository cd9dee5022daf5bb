-- table.sort of a list that is only said to be long.
-- error: cpu_limit|runtime|memory_limit
-- needs: process
local meta = {__len = function() return (1 << 31) - 2 end, __index = rawlen, __newindex = rawequal}
table.sort(setmetatable({}, meta), rawequal)
