-- A strange name of a chunk, as the place of an uncaught error.
-- error: runtime
load("error('x')", "@\27[2J\xff\n" .. ("x"):rep(1e5))()
