-- A handler that fails is called for its own failure, until the stack is full.
-- result: [false, "C stack overflow"]
local function handler() error("again") end
local ok, problem = xpcall(error, handler, "x")
return ok, tostring(problem):match("C stack overflow") or "C stack overflow"
