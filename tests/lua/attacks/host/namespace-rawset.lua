-- What a script writes past the namespace is its own loss.
-- result: ["mine", "invalid_arguments"]
rawset(app.integrations.segment, "track", function() return "mine" end)
local _, problem = pcall(app.integrations.segment.track_event, {})
return app.integrations.segment.track(), problem.code
