-- A coroutine cannot resume itself, nor what resumed it.
-- result: [false, false]
local outer
local own, other
outer = coroutine.wrap(function()
  own = coroutine.resume(coroutine.running())
  coroutine.wrap(function() other = pcall(outer) end)()
end)
outer()
return own, other
