-- Groups in groups: each catches what comes from the one inside.
-- error: cpu_limit
local function deep(n)
  if n == 0 then while true do end end
  pcall(parallel.map, {1, 2}, function() deep(n - 1) end, {on_error = "collect"})
  while true do end
end
deep(20)
