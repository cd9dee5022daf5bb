-- In a thread, the hook of a coroutine looks each thousand instructions, and each may take long.
-- error: cpu_limit
coroutine.wrap(function()
  local list = {}
  for index = 1, 1e4 do list[index] = index end
  while true do table.sort(list) end
end)()
