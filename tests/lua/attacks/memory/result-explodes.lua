-- A small graph is a huge tree.
-- error: memory_limit|result_limit|cpu_limit
local t = {1} for i = 1, 60 do t = {t, t} end return t
