-- The library is there.
-- result: ["0,1,2", 2, 3, 3]
local list = {1, 2}
table.insert(list, 3)
table.insert(list, 1, 0)
table.remove(list)
return table.concat(list, ","), table.unpack(table.move({1, 2, 3}, 2, 3, 1))
