-- A handler, where only the hook of the coroutine looks.
-- error: cpu_limit
coroutine.wrap(function()
  xpcall(function() while true do end end, function() while true do end end)
end)()
