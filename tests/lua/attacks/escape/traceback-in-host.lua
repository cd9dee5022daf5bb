-- A traceback from within what the host calls back.
-- result: true
local trace
json.encode(setmetatable({}, {__pairs = function() trace = debug.traceback() return next, {} end}))
return not trace:find("kosmo", 1, true)
