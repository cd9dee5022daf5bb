-- Two that hand over to each other: neither runs long.
-- error: cpu_limit
local pong = coroutine.wrap(function() while true do coroutine.yield() end end)
while true do pong() end
