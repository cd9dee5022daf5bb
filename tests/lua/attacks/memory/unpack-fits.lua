-- As many as it can hold.
-- error: memory_limit|runtime
local function count(...) return select("#", ...) end
local list = {}
local function wait(...)
  coroutine.yield(count(...))
  return ...
end
for level = 1, 1000 do list[level] = coroutine.wrap(wait) end
for level = 1, 1000 do list[level](table.unpack({}, 1, 900000)) end
