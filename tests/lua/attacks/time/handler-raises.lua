-- An error in a handler calls the handler again, and each level may work.
-- error: cpu_limit
local function handler() for _ = 1, 1e7 do end error("again") end
while true do xpcall(error, handler, "x") end
