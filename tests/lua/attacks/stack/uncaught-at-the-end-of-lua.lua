-- The overflow of Lua's own stack leaves room for a handler only.
-- error: runtime|memory_limit
local function f() return 1 + f() end
local x <close> = setmetatable({}, {__close = function() f() end})
f()
