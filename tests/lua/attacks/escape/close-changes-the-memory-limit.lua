-- No handler is called for out of memory, so a __close that raises an error of its own replaces it.
-- error: memory_limit|runtime
local x <close> = setmetatable({}, {__close = function() error({code = "mine"}) end})
local s = "x"
while true do s = s .. s end
