-- Set afterwards, Lua ignores it.
-- result: 1
local meta = {} setmetatable({}, meta) meta.__gc = function() while true do end end return 1
