-- A quarter of a million values at once, thrown away.
-- error: cpu_limit
local list = {}
while true do pcall(select, "#", table.unpack(list, 1, 250000)) end
