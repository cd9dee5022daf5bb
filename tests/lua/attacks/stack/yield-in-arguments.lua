-- The arguments of a call wait in the middle of being written, and another call is made meanwhile.
-- result: ["waiting", false, "invalid_arguments"]
local function pause() coroutine.yield("waiting") return next, {} end
local call = coroutine.wrap(function()
  return pcall(app.integrations.segment.track, setmetatable({}, {__pairs = pause}))
end)
local first = call()
pcall(app.integrations.segment.track, {event = 1})
local ok, problem = call()
return first, ok, problem.code
