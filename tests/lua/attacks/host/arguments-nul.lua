-- NUL is a character like any other.
-- result: "invalid_arguments"
local _, problem = pcall(app.integrations.segment.track, {["ev\0ent"] = "\0"})
return problem.code
