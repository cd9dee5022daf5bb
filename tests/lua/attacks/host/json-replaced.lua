-- The bridge uses codecs of its own.
-- result: ["invalid_arguments", "{\n  a: 1\n}"]
json.encode, json.decode, json.null, json.object, json.array = nil
local _, problem = pcall(app.integrations.segment.track, {event = {}})
return problem.code, tostring({a = 1})
