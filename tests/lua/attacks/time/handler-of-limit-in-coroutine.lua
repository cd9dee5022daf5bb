-- A loop in a coroutine starts its handler again after each limit.
-- error: cpu_limit
coroutine.wrap(function()
  while true do
    xpcall(function() while true do end end, function() while true do end end)
  end
end)()
