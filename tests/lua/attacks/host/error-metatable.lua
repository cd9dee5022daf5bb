-- The metatable of error tables is closed.
-- result: [false, false]
local _, problem = pcall(app.integrations.nosuch.call, {})
return getmetatable(problem), (pcall(setmetatable, problem, {}))
