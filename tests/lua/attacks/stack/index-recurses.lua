-- __index that reads itself.
-- error: runtime
local t
t = setmetatable({}, {__index = function() return t.x end})
return 1 + t.x
