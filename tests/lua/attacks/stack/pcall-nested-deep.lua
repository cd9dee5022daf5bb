-- pcall within pcall takes C's stack.
-- error: runtime|memory_limit
local function f() local ok, problem = pcall(f) if not ok then error(problem, 0) end return ok end
f()
error("the deepest pcall caught it")
