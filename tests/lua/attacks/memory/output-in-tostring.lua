-- Printing while something is printed.
-- error: output_limit
-- limits: output=1000
local t
t = setmetatable({}, {__tostring = function() print(("x"):rep(100)) return tostring(t) end})
print(t)
