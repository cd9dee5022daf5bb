-- Fifty thousand numbers, and an order of one's own.
-- result: [1, 50000, 3]
local list = {}
for index = 1, 50000 do list[index] = 50001 - index end
table.sort(list)
local other = {3, 1, 2}
table.sort(other, function(a, b) return a > b end)
return list[1], list[50000], other[1]
