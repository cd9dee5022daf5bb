-- The C stack is smaller than Lua's.
-- error: runtime
local function f() return (("x"):gsub("x", f)) end return f()
