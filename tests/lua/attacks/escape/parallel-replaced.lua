-- Parallel uses what it had before the script came.
-- result: [1, 2]
local map = parallel.map
for name in pairs(_G) do if name ~= "_G" then _G[name] = nil end end
return map({1, 2}, function(n) return n end)
