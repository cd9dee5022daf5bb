-- A table that its own __pairs changes.
-- result: true
local t = {a = 1, b = 2}
setmetatable(t, {__pairs = function(self)
  return function(_, key)
    rawset(self, "k" .. tostring(key):sub(1, 1) .. #tostring(key), 1)
    if key == nil then return "a", 1 end
  end
end})
return json.encode(t) == '{"a":1}'
