-- close returns the error of a __close.
-- result: [false, "mine"]
local thread = coroutine.create(function()
  local x <close> = setmetatable({}, {__close = function() error("mine", 0) end})
  coroutine.yield()
end)
coroutine.resume(thread)
return coroutine.close(thread)
