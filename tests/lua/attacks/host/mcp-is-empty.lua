-- The namespace of servers that there are none of.
-- result: ["unknown_integration", 0]
local count = 0
for _ in pairs(app.mcp) do count = count + 1 end
local _, problem = pcall(app.mcp.server.tool, {})
return problem.code, count
