-- The host iterates over what a coroutine gives.
-- result: [1, 2, 3]
return setmetatable({}, {__pairs = function()
  return coroutine.wrap(function() for index = 1, 3 do coroutine.yield(index, index) end end)
end})
