-- Options are read from a table that answers with code.
-- error: cpu_limit
json.decode("1", setmetatable({}, {__index = function() while true do end end}))
