-- A stack that overflows, again and again.
-- error: cpu_limit|memory_limit
local function f() return 1 + f() end
while true do pcall(f) end
