-- The name of what is not there.
-- error: runtime
-- message: attempt to call a nil value (global 'foo')
foo()
