-- What a task has to close, after its error, does not end.
-- error: cpu_limit
parallel.map({1}, function()
  local mark <close> = setmetatable({}, {__close = function() while true do pcall(error) end end})
  error("x")
end)
