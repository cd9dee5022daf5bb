-- Each failed call is logged with its message, so the message must not grow with the values.
-- result: true
local _, problem = pcall(app.integrations.segment.track, {event = ("x"):rep(1e6), userId = {("y"):rep(1e6)}})
return #tostring(problem) < 10000
