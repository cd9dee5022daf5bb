-- An error of __pairs is the error of the run.
-- error: runtime
-- message: Error from __pairs
return setmetatable({}, {__pairs = function() error("Error from __pairs") end})
