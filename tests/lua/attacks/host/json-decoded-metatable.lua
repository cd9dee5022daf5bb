-- Decoded values are ordinary tables.
-- result: 1
local t = json.decode("{}")
setmetatable(t, {__index = function() return 1 end})
return t.x
