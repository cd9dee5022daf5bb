-- __pairs that is a C function.
-- result: {"a": 1}
return setmetatable({a = 1}, {__pairs = function(t) return next, t end})
