-- A coroutine as an error shows no address.
-- error: runtime
-- message: thread
error(coroutine.create(print))
