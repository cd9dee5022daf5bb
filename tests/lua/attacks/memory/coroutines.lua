-- Suspended coroutines, each with a stack.
-- error: memory_limit
-- limits: memory=4000000
local list = {}
while true do
  local thread = coroutine.create(coroutine.yield)
  coroutine.resume(thread)
  list[#list + 1] = thread
end
