-- One big allocation.
-- error: memory_limit
return #("x"):rep(1e9)
