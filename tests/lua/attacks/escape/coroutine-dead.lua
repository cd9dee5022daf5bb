-- A coroutine that has ended stays that way.
-- result: [false, "cannot resume dead coroutine", "dead", true]
local thread = coroutine.create(function() end)
coroutine.resume(thread)
local ok, problem = coroutine.resume(thread)
return ok, problem, coroutine.status(thread), coroutine.close(thread)
