-- Any value can be an error, also none.
-- error: runtime
error()
