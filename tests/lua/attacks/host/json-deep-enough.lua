-- 500 levels are allowed.
-- result: 1001
local t = 1
for _ = 1, 500 do t = {t} end
return #json.encode(t)
