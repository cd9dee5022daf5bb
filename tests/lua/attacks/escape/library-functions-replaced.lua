-- Every function of every library is a trap, and the host goes on.
-- result: ["invalid_arguments", "[1]", "x"]
local to_json, call, match, read = json.encode, app.integrations.segment.track, regex.match, rawget
local p = pcall
for _, library in pairs({string, table, math, utf8, os, coroutine, debug, json, docs, regex}) do
  for name in pairs(library) do library[name] = function() error("called") end end
end
for name in pairs(_G) do if name ~= "_G" then _G[name] = nil end end
local _, problem = p(call, {})
return problem.code, to_json({1}), match("x", "x")[1]
