-- A size that does not fit into an integer.
-- error: runtime|memory_limit
return ("xx"):rep(math.maxinteger)
