-- A replacement that is a table with code.
-- result: "12"
local n = 0
return (("ab"):gsub(".", setmetatable({}, {__index = function() n = n + 1 return n end})))
