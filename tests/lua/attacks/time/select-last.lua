-- select copies its arguments.
-- error: cpu_limit
local function drop(...) if select("#", ...) > 0 then return drop(select(2, ...)) end end
while true do drop(table.unpack({}, 1, 200)) end
