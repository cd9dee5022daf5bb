-- setmetatable and getmetatable honour __metatable.
-- result: ["locked", false]
local t = setmetatable({}, {__metatable = "locked"})
return getmetatable(t), (pcall(setmetatable, t, nil))
