-- C that calls Lua that calls C.
-- error: runtime
-- message: overflow
local t
t = setmetatable({}, {__index = function() return table.concat(t, "", 1, 1) end})
return table.concat(t, "", 1, 1)
