-- __pairs that gives the same key for ever.
-- error: cpu_limit
return setmetatable({}, {__pairs = function() return function() return 1, 2 end end})
