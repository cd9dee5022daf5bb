-- Neither pcall in the task nor collected errors catch the end.
-- error: cpu_limit
while true do
  pcall(parallel.map, {1, 2}, function() while true do pcall(error) end end, {on_error = "collect"})
end
