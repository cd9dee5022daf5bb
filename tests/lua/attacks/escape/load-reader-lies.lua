-- A reader that gives something else than text.
-- result: [null, null, null]
local shown = setmetatable({}, {__tostring = function() return "x" end})
return (load(function() return 1 end)), (load(function() return {} end)), (load(function() return shown end))
