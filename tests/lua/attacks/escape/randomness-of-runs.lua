-- Runs start with a seed that no one has chosen.
-- result: true
local a, b = math.random(0), math.random(0)
return a ~= b
