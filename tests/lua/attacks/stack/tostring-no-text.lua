-- __tostring gives no string.
-- error: runtime
error(setmetatable({}, {__tostring = function() return {} end}))
