-- C code that makes much of little.
-- error: memory_limit
return #(("x"):rep(1e6):gsub("x", ("y"):rep(1e4)))
