-- An error of a hook leaves hooks off in a coroutine, and closing that coroutine runs code in it.
-- error: cpu_limit
coroutine.wrap(function()
  local thread = coroutine.create(function()
    local inner <close> = setmetatable({}, {__close = function() while true do end end})
    while true do end
  end)
  local outer <close> = setmetatable({}, {__close = function() coroutine.close(thread) end})
  coroutine.resume(thread)
end)()
