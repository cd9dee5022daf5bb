-- Collected errors are memory of the script.
-- error: memory_limit
-- limits: memory=4000000
parallel.map(function() return 1 end, function(_, n) error(("x"):rep(1000) .. n) end, {on_error = "collect"})
