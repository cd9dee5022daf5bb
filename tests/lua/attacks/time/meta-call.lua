-- Calling a table.
-- error: cpu_limit
setmetatable({}, {__call = function() while true do end end})()
