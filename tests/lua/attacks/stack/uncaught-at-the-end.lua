-- The account of an uncaught error is given with a full stack.
-- error: runtime
local function f() return (("x"):gsub("x", f)) end
f()
