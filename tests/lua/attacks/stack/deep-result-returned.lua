-- A result that is nested too deep is cut.
-- result: ...
local t = 1
for _ = 1, 1e5 do t = {t} end
return t
