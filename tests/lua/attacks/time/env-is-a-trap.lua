-- Every global of this function is code.
-- error: cpu_limit
local _ENV = setmetatable({}, {__index = function() while true do end end})
return x
