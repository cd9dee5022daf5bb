-- Functions, coroutines and cycles are refused with their place.
-- result: ["invalid_arguments", "invalid_arguments", "invalid_arguments", "invalid_arguments"]
local cycle = {}
cycle.me = cycle
local codes = {}
for index, value in ipairs({print, coroutine.create(print), cycle, 0 / 0}) do
  local _, problem = pcall(app.integrations.segment.track, {event = value})
  codes[index] = problem.code
end
return codes
