-- _ENV replaced in the middle.
-- result: 3
local error = error
_ENV = setmetatable({}, {__index = function(_, name) return #name end})
return abc
