-- Metamethods other than __pairs say nothing about arguments.
-- result: [false, "invalid_arguments"]
local trap = {}
for _, name in ipairs({"__index", "__len", "__eq", "__lt", "__call", "__tostring", "__concat", "__name"}) do
  trap[name] = function() error("called") end
end
local argument = setmetatable({nonsense = setmetatable({}, trap)}, trap)
local ok, problem = pcall(app.integrations.segment.track, argument)
return ok, problem.code
