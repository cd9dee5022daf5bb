-- Every kind of value in every place of a helper.
-- result: "survived"
local values = {"x", 1, -1, 1.5, 1e308, true, {}, {x = 1}, json.null, "\xff", ("x"):rep(70000), print}
for _, helper in ipairs({regex.match, regex.match_all, regex.gsub, docs.read, docs.search, docs.list}) do
  for _, first in ipairs(values) do
    for _, second in ipairs(values) do
      local ok, problem = pcall(helper, first, second, first, second)
      if not ok and type(problem) == "table" and problem.code == "internal" then return problem.message end
    end
  end
end
return "survived"
