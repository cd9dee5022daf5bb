-- Coroutines as in Lua.
-- result: ["suspended", true, 1, 2, "dead", false]
local thread = coroutine.create(function(a) local b = coroutine.yield(a) return b end)
local before = coroutine.status(thread)
local ok, first = coroutine.resume(thread, 1)
local _, second = coroutine.resume(thread, 2)
return before, ok, first, second, coroutine.status(thread), coroutine.isyieldable()
