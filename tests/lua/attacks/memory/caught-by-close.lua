-- A __close that raises an error of its own replaces out of memory: then it is caught, and the limit still holds.
-- error: memory_limit|cpu_limit
local closing = setmetatable({}, {__close = function() error("mine", 0) end})
local list
local function fill()
  local x <close> = closing
  while true do list = {list} end
end
while true do pcall(fill) end
