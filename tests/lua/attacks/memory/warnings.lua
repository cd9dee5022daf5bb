-- A result with many values that JSON cannot hold.
-- result: 100
-- document: 100000
local list = {}
for index = 1, 100 do list[index] = print end
return #list
