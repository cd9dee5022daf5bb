-- json.encode honours __pairs.
-- error: cpu_limit
json.encode({deep = setmetatable({}, {__pairs = function() while true do end end})})
