-- The stack of a coroutine has no frames of the host.
-- result: true
local thread = coroutine.create(function() pcall(coroutine.yield) end)
coroutine.resume(thread)
return not debug.traceback(thread):find("kosmo", 1, true)
