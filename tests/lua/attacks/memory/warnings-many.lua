-- Each value that JSON cannot hold warns; not without end.
-- result: "function"
-- document: 20000
local list = {}
for index = 1, 1000 do list[index] = print end
return setmetatable({}, {__pairs = function() return next, list end}) and print
