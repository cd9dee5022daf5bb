-- A new coroutine each time starts every counter anew.
-- error: cpu_limit
while true do coroutine.wrap(function() end)() end
