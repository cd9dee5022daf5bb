-- Closing a coroutine while it is closed.
-- result: "done"
local thread
thread = coroutine.create(function()
  local x <close> = setmetatable({}, {__close = function() pcall(coroutine.close, thread) end})
  coroutine.yield()
end)
coroutine.resume(thread)
coroutine.close(thread)
return "done"
