-- The key of a task is whatever a key can be.
-- error: runtime
-- message: item mine: x
local key = setmetatable({}, {__tostring = function() return "mine" end})
parallel.all({[key] = function() error("x", 0) end})
