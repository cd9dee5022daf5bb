-- A coroutine that is resumed by the __close of one that a limit ends.
-- error: cpu_limit
local function spin() while true do end end
local function close() coroutine.wrap(spin)() end
coroutine.wrap(function()
  local x <close> = setmetatable({}, {__close = close})
  coroutine.wrap(spin)()
end)()
