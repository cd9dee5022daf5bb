-- The script is no coroutine.
-- error: runtime
-- message: outside a coroutine
coroutine.yield(1)
