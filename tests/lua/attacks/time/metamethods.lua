-- Every operator may run script code.
-- error: cpu_limit
return setmetatable({}, {__index = function() while true do end end}).x
