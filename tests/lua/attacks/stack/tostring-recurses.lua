-- __tostring that shows itself.
-- error: runtime|memory_limit
local t
t = setmetatable({}, {__tostring = function() return tostring(t) end})
print(t)
