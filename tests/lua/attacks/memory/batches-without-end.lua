-- Batches that nobody ends wait for the end of the run.
-- error: memory_limit|cpu_limit
-- limits: memory=4000000 cpu=2
kept = {}
while true do
  local begun = coroutine.create(function() batch(function() coroutine.yield() end) end)
  coroutine.resume(begun)
  kept[#kept + 1] = begun
end
