-- Compiled code is memory.
-- error: memory_limit
-- limits: memory=4000000
local list = {}
while true do list[#list + 1] = load(("x = 1 "):rep(1000)) end
