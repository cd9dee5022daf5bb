-- A name that is different each time it is read.
-- result: false
return (pcall(require, setmetatable({}, {__tostring = function() return "x" end, __index = string})))
