-- A value that is printed in a message.
-- result: "{}"
local _, problem = pcall(error, setmetatable({}, {__name = "mine"}))
return tostring(problem)
