-- Neither is it closed while it runs others.
-- error: runtime
-- message: item 1: item 1: cannot close a normal coroutine
local thread
parallel.map({1}, function()
  thread = coroutine.running()
  parallel.map({1}, function() coroutine.close(thread) end)
end)
