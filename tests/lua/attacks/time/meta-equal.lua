-- Comparing two tables runs __eq.
-- error: cpu_limit
local meta = {__eq = function() while true do end end}
return setmetatable({}, meta) == setmetatable({}, meta)
