-- What tasks print counts together.
-- error: output_limit
-- limits: output=1000
parallel.map(function() return 1 end, function() pcall(print, ("x"):rep(10)) end)
