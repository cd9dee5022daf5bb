-- Unary minus, and the bitwise one.
-- error: cpu_limit
local t = setmetatable({}, {__unm = function(t) return ~t end, __bnot = function() while true do end end})
return -t
