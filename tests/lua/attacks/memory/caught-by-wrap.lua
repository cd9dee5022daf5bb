-- A coroutine made by wrap runs out of memory, in a pcall.
-- error: memory_limit
while true do pcall(coroutine.wrap(function() return ("x"):rep(1e9) end)) end
