-- An error that nobody catches is shown by its __tostring.
-- error: cpu_limit
error(setmetatable({}, {__tostring = function() while true do end end}))
