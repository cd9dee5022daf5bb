-- The function of a batch is a script like any other.
-- error: cpu_limit
pcall(batch, function() while true do end end)
