-- Coroutines in protected coroutines.
-- result: true
local depth = 0
local function nest() depth = depth + 1 return pcall(coroutine.wrap(nest)) end
nest()
return depth > 10 and depth < 250
