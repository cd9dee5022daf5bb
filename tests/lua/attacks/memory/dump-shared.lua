-- What is printed explodes as a result does.
-- error: memory_limit|output_limit|cpu_limit
local t = {1} for i = 1, 60 do t = {t, t} end dump(t)
