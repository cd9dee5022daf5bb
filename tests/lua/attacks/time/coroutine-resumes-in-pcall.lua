-- resume within pcall within resume.
-- error: cpu_limit
local function run(n)
  if n == 0 then while true do end end
  local thread = coroutine.create(function() while true do pcall(run, n - 1) end end)
  while true do coroutine.resume(thread) end
end
run(5)
