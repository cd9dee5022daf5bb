-- What shows an error fails itself.
-- error: runtime
error(setmetatable({}, {__tostring = function() error("again") end}))
