-- Error tables have the methods of strings, and only these.
-- result: ["nil", "function", "nil"]
local _, problem = pcall(app.integrations.nosuch.call, {})
return type(problem.nonsense), type(problem.match), type(problem[1])
