-- The loop goes on as long as its iterator yields.
-- error: cpu_limit
for _ in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end
