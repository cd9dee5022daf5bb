-- The fourth value of a for loop is closed when the loop ends, by the limit too.
-- error: cpu_limit
local closing = setmetatable({}, {__close = function() while true do end end})
for _ in function() return true end, nil, nil, closing do end
