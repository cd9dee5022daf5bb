-- table.concat over elements that a C function makes up.
-- error: cpu_limit|memory_limit
-- needs: process
return table.concat(setmetatable({}, {__index = table.concat}), "", 1, 1 << 60)
