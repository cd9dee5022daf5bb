-- Endless without a stack.
-- error: cpu_limit
local function f() return f() end f()
