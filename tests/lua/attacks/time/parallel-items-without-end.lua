-- The items never end, and each is done at once.
-- error: cpu_limit
parallel.map(function() return 1 end, function() error("x") end, {on_error = "collect"})
