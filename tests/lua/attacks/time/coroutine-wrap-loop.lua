-- A loop of loops that end by themselves, each in a coroutine.
-- error: cpu_limit
while true do
  pcall(coroutine.wrap(function() for _ = 1, 900 do end error("x") end))
end
