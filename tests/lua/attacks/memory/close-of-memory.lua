-- What is closed after out of memory begins anew.
-- error: memory_limit
local function fill() local list = {} while true do list = {list} end end
local x <close> = setmetatable({}, {__close = fill})
local y <close> = setmetatable({}, {__close = fill})
fill()
