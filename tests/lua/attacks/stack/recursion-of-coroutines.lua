-- Each coroutine has a piece of the C stack.
-- error: runtime
local function f() return coroutine.wrap(f)() end return f()
