-- Operators call script code.
-- error: cpu_limit
local function forever() while true do end end
return setmetatable({}, {__add = forever}) + 1
