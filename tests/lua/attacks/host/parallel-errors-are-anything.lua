-- An error value of a task stays what it is.
-- result: [true, true, true, true, true]
local same = {}
for index, value in ipairs{false, 7, print, setmetatable({}, {__eq = error, __index = error}), coroutine.create(print)} do
  local ok, problem = pcall(parallel.map, {1}, function() error(value) end)
  same[index] = not ok and rawequal(problem, value)
end
return table.unpack(same)
