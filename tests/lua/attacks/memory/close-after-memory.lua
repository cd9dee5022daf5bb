-- What is left for a report is no room to go on.
-- error: memory_limit
local x <close> = setmetatable({}, {__close = function() local t = {} while true do t = {t} end end})
return ("x"):rep(1e9)
