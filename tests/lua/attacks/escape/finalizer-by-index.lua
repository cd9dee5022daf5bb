-- The metatable's own __index is not asked.
-- result: 1
setmetatable({}, setmetatable({}, {__index = {__gc = function() while true do end end}})) return 1
