-- table.remove believes __len.
-- error: cpu_limit
-- needs: process
return table.remove(setmetatable({}, {__len = function() return 1 << 60 end}), 1)
