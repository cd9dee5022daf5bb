-- A result that is nested too deep for JSON is cut and said.
-- result: true
local t = 1
for _ = 1, 1e5 do t = {t} end
dump(t)
return true
