-- Keys that all fall into one place of a table of 2^17: making room is one instruction of 2^33 steps.
-- error: cpu_limit
-- needs: process
local t, step = {}, (1 << 17) - 1
for index = 1, 1 << 17 do t[index * step] = true end
