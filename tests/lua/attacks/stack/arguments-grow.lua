-- A list of arguments, on the stack.
-- error: memory_limit|runtime|cpu_limit
local function f(...) return f(1, 1, 1, 1, 1, 1, 1, 1, ...) end f()
