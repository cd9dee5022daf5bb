-- The operator that joins strings calls script code.
-- error: cpu_limit
return "x" .. setmetatable({}, {__concat = function() while true do end end})
