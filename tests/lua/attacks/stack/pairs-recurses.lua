-- __pairs that encodes itself.
-- error: runtime|memory_limit
local t
t = setmetatable({}, {__pairs = function() return pairs({json.encode(t)}) end})
json.encode(t)
