-- Calls of tasks count together, also those that fail.
-- error: call_limit
-- limits: calls=20
parallel.map(function() return 1 end, function() pcall(app.nothing.at.all) end)
