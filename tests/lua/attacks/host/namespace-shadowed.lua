-- app can be replaced, and the functions that it led to work on.
-- result: ["invalid_arguments", "nil"]
local track = app.integrations.segment.track
app, docs, json, regex, print, dump = nil
local _, problem = pcall(track, {})
return problem.code, type(app)
