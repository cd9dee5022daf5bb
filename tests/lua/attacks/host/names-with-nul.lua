-- NUL, newlines, escapes and bytes that are no text, in names.
-- result: ["unknown_integration", "unknown_integration", "unknown_integration", "unknown_function"]
local codes = {}
for index, name in ipairs({"seg\0ment", "seg\nment", "\27[2J"}) do
  local _, problem = pcall(app.integrations[name].track, {})
  codes[index] = problem.code
end
local _, problem = pcall(app.integrations.segment["\xff\xfe"], {})
codes[4] = problem.code
return codes
