-- The usual mistake.
-- error: memory_limit|runtime
local function f() return 1 + f() end return f()
