-- Flags that there are not, and all that there are.
-- result: "survived"
for code = 0, 127 do
  local ok, problem = pcall(regex.match, "x", "x", string.char(code))
  if not ok and problem.code == "internal" then return problem.message end
end
return "survived"
