-- A namespace as an argument, a key, a result of json and an error.
-- error: runtime|credentials
local segment = app.integrations.segment
pcall(app.integrations.segment.track, {event = segment})
pcall(json.encode, {[segment] = segment})
pcall(json.encode, app)
print(app, segment, {segment})
error(segment)
