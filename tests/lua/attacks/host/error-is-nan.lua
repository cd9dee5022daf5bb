-- NaN is not equal to itself.
-- error: runtime
-- message: nan
error(0 / 0)
