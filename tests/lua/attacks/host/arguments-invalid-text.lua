-- Bytes that are no text are refused, as keys too.
-- result: ["invalid_arguments", "invalid_arguments"]
local _, value = pcall(app.integrations.segment.track, {event = "\xff"})
local _, key = pcall(app.integrations.segment.track, {["\xff"] = 1})
return {value.code, key.code}
