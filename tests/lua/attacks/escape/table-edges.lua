-- Ranges at the edges of the integers.
-- result: "survived"
local least, most = math.mininteger, math.maxinteger
pcall(table.concat, {}, "", most, most)
pcall(table.concat, {}, "", least, least)
pcall(table.unpack, {}, most, most)
pcall(table.unpack, {}, least, most)
pcall(table.move, {}, most, most, least)
pcall(table.move, {}, least, most, 1)
pcall(table.insert, {}, most, 1)
pcall(table.remove, {}, least)
pcall(select, least, 1)
pcall(utf8.codepoint, "x", least, most)
pcall(utf8.offset, "x", least, most)
pcall(math.random, least, most)
return "survived"
