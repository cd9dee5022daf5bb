-- close runs __close, and returns an error instead of raising it.
-- error: cpu_limit
local thread = coroutine.create(function()
  local x <close> = setmetatable({}, {__close = function() while true do end end})
  coroutine.yield()
end)
coroutine.resume(thread)
coroutine.close(thread)
