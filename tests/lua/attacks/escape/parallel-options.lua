-- Options are read once, and not through a metatable.
-- result: [[1, 2], false]
local trap = setmetatable({}, {__index = function() return {} end})
local changed = {limit = 1}
return parallel.map({1, 2}, function(n) changed.limit = "x" changed.on_error = 7 return n end, changed),
  (pcall(parallel.map, {1}, print, {limit = setmetatable({}, {__lt = function() return false end})}))
