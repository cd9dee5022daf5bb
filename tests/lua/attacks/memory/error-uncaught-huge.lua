-- A message of twelve megabytes is cut.
-- error: runtime|memory_limit
-- document: 100000
error(("x"):rep(1.2e7))
