-- A for loop calls __pairs.
-- error: cpu_limit
for _ in pairs(setmetatable({}, {__pairs = function() while true do end end})) do end
