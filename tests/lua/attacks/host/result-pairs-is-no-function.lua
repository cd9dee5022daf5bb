-- __pairs that cannot be called.
-- error: runtime
return setmetatable({}, {__pairs = 1})
