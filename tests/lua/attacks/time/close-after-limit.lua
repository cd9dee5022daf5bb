-- What a script cleans up after the limit is limited too.
-- error: cpu_limit
local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end
