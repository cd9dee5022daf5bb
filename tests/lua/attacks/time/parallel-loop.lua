-- A task runs in a coroutine, which no hook on the main one reaches.
-- error: cpu_limit
return parallel.map({1, 2}, function() while true do end end)
