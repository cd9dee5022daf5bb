-- A coroutine with something to close that is simply forgotten.
-- result: 7
local f = coroutine.wrap(function()
  local x <close> = setmetatable({}, {__close = function() error("closed") end})
  coroutine.yield(7)
end)
return f()
