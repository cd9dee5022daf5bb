-- The conversion is no coroutine.
-- error: runtime
return setmetatable({}, {__pairs = coroutine.yield})
