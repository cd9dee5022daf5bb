-- The result is converted when the script has returned, and that runs __pairs.
-- error: cpu_limit
return setmetatable({}, {__pairs = function() while true do end end})
