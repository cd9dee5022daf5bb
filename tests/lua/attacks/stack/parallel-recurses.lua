-- Each group in a group has a piece of the C stack.
-- error: runtime
-- message: C stack overflow
local function deep() return parallel.map({1}, deep) end
return deep()
