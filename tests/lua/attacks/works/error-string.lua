-- An error has the place where it was raised.
-- error: runtime
-- message: error-string.lua:4: runtime error
error("runtime error")
