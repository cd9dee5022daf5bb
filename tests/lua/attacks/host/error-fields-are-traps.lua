-- The fields of a call's error, replaced by values that raise.
-- error: runtime
local _, problem = pcall(app.integrations.nosuch.call, {})
for _, name in ipairs({"message", "file", "line", "code", "hint"}) do
  problem[name] = setmetatable({}, {__tostring = function() error(name) end, __pairs = error})
end
error(problem)
