-- A second setmetatable with the same table, by now with a __gc.
-- result: false
local meta = {}
local t = setmetatable({}, meta)
meta.__gc = function() while true do end end
return (pcall(setmetatable, t, meta))
