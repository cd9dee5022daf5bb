-- A metatable that gets its __gc while it is set.
-- result: [false, true]
local meta = setmetatable({}, {__index = function() return print end})
rawset(meta, "__gc", print)
local inherits = setmetatable({}, {__index = {__gc = print}})
return (pcall(setmetatable, {}, meta)), (pcall(setmetatable, {}, inherits))
