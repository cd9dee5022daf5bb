-- print shows what __pairs gives.
-- error: cpu_limit
print(setmetatable({}, {__pairs = function() while true do end end}))
