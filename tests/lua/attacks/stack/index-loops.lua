-- Tables that refer to each other.
-- error: runtime
-- message: loop
local a, b = {}, {}
setmetatable(a, {__index = b})
setmetatable(b, {__index = a})
return a.x
