-- json.encode reads its options from a table that answers with code.
-- error: cpu_limit
json.encode({}, setmetatable({}, {__index = function() while true do end end}))
