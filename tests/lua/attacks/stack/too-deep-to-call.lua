-- Calling the host at the very end of the C stack.
-- result: false
local function f() print(1) return (("x"):gsub("x", f)) end return (pcall(f))
