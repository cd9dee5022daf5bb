-- The length operator.
-- error: cpu_limit
return #setmetatable({}, {__len = function() while true do end end})
