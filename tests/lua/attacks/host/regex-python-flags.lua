-- Features of the engine that PCRE does not have lead nowhere.
-- result: "survived"
local patterns = {"\\L<names>", "(?e)x", "(?:x){e<=1}", "(?p)x", "(?r)x", "\\N{DIGIT ONE}", "(?V1)[a--b]",
  "(?(DEFINE)(?<a>x))(?&a)"}
for _, pattern in ipairs(patterns) do
  local ok, problem = pcall(regex.match, "x", pattern)
  if not ok and problem.code == "internal" then return problem.message end
end
return "survived"
