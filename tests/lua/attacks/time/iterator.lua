-- The loop calls a coroutine.
-- error: cpu_limit
for _ in coroutine.wrap(function() while true do end end) do end
