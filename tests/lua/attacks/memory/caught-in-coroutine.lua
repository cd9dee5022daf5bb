-- A coroutine that ran out of memory is closed, and the script goes on.
-- error: memory_limit
while true do
  local thread = coroutine.create(function() return ("x"):rep(1e9) end)
  coroutine.resume(thread)
  coroutine.close(thread)
end
