-- Details that are nested too deep.
-- error: runtime
local t = 1
for _ = 1, 1e5 do t = {t} end
error({t = t})
