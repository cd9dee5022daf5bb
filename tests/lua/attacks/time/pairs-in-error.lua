-- The details of an error are what its __pairs gives.
-- error: cpu_limit
error(setmetatable({}, {__pairs = function() while true do end end}))
