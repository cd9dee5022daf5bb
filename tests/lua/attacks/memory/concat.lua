-- Joining what is already large.
-- error: memory_limit
local list = {}
for index = 1, 40 do list[index] = ("x"):rep(1e6) end
return #table.concat(list)
