-- A callable that is called by a callable, and so on.
-- error: cpu_limit
local f = setmetatable({}, {__call = function() while true do end end})
for _ = 1, 100 do f = setmetatable({}, {__call = f}) end
f()
