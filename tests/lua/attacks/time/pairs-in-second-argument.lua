-- An argument by position is converted like the first.
-- error: cpu_limit
app.integrations.segment.track("E", "u", setmetatable({}, {__pairs = function() while true do end end}))
