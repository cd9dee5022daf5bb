-- A coroutine that a hook has ended still has something to close.
-- error: cpu_limit
coroutine.wrap(function()
  local x <close> = setmetatable({}, {__close = function() while true do end end})
  while true do end
end)()
