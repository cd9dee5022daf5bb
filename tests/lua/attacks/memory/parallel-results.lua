-- Results are memory of the script.
-- error: memory_limit
-- limits: memory=4000000
parallel.map(function() return 1 end, function(_, n) return ("x"):rep(1000) .. n end)
