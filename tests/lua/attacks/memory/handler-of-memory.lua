-- The handler of out of memory tries again.
-- error: memory_limit
local function more() return ("x"):rep(1e9) end
while true do xpcall(more, more) end
