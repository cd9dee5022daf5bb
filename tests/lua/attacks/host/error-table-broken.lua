-- A script may take the error table of a call apart.
-- error: runtime
local _, problem = pcall(app.integrations.nosuch.call, {})
for key in pairs(problem) do problem[key] = print end
error(problem)
