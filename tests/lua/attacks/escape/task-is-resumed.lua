-- A task that gives its coroutine away is not run by another one meanwhile.
-- result: [false, "cannot resume non-suspended coroutine", true]
local thread, ok, problem
local results = parallel.map({1}, function()
  thread = coroutine.running()
  parallel.map({1}, function() ok, problem = coroutine.resume(thread) end)
  return true
end)
return ok, problem, results[1]
