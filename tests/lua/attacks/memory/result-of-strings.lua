-- A result that is larger than may be returned, and smaller than memory.
-- error: result_limit
-- limits: result=1000000
local text, list = ("x"):rep(1e5), {}
for index = 1, 12 do list[index] = text end
return list
