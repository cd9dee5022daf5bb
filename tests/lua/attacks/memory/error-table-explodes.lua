-- A small graph is a huge tree, also as the details of an error.
-- error: runtime|memory_limit|cpu_limit
local t = {1}
for _ = 1, 60 do t = {t, t} end
error({t = t})
