-- Levels that there are not.
-- error: runtime
error("x", math.maxinteger)
