-- Names that mean something to Python mean nothing as functions.
-- result: ["unknown_function", "unknown_function", "unknown_function", "unknown_function"]
local codes = {}
for index, name in ipairs({"__class__", "__init__", "invoke", "functions"}) do
  local _, problem = pcall(app.integrations.segment[name], {})
  codes[index] = problem.code
end
return codes
