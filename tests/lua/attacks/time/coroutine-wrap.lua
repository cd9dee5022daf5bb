-- A hook belongs to one coroutine.
-- error: cpu_limit
coroutine.wrap(function() while true do end end)()
