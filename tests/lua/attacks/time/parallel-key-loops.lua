-- The key of a task says its name in an error, and does not end.
-- error: cpu_limit
local key = setmetatable({}, {__tostring = function() while true do end end})
parallel.all({[key] = function() error("x") end})
