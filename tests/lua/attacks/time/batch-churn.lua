-- Batches without events, one in the other and one after the other.
-- error: cpu_limit
while true do batch(function() batch(function() end) end) end
