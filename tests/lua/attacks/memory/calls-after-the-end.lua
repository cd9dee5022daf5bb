-- Caught by a __close that would make the calls after all: nothing more is sent.
-- error: call_limit
-- limits: calls=2
local function call() app.integrations.segment.track({}) end
local x <close> = setmetatable({}, {__close = function() while true do pcall(call) end end})
while true do pcall(call) end
