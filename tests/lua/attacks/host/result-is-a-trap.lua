-- Every metamethod of a result but __pairs is left alone.
-- result: {"a": 1}
local trap = {}
for _, name in ipairs({"__index", "__len", "__eq", "__lt", "__call", "__concat", "__unm", "__close"}) do
  trap[name] = function() error("called") end
end
return setmetatable({a = 1}, trap)
