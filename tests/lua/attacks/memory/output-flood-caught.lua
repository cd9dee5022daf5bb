-- The end of a run is not caught.
-- error: output_limit
while true do pcall(print, ("x"):rep(1e5)) end
