-- An error table as the argument of a call.
-- result: "invalid_arguments"
local _, problem = pcall(app.integrations.segment.track, {})
local _, second = pcall(app.integrations.segment.track, problem)
return second.code
