-- The details of an error are bounded as a result is.
-- error: runtime
-- limits: result=1000
-- document: 100000
local t = {1}
for _ = 1, 12 do t = {t, t} end
error({message = "much", t = t})
