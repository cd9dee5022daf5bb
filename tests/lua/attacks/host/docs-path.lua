-- A page is no file.
-- result: ["invalid_arguments", "invalid_arguments", "invalid_arguments"]
local codes = {}
for index, page in ipairs({"../../etc/passwd", "/etc/passwd", "overview.md\0"}) do
  local _, problem = pcall(docs.read, page)
  codes[index] = problem.code
end
return codes
