-- A message that is all positions.
-- error: runtime
error(("a:1: "):rep(13000))
