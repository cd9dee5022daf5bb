-- A table that has an item at every index.
-- error: cpu_limit
parallel.map(setmetatable({}, {__index = function() return 1 end, __len = function() return 1 end}), function() end)
