-- The arguments of a call are converted too.
-- error: cpu_limit
app.integrations.segment.track(setmetatable({}, {__pairs = function() while true do end end}))
