-- Half a character of UTF-16 is no text.
-- result: "invalid_arguments"
local _, problem = pcall(app.integrations.segment.track, {event = utf8.char(0xD800)})
return problem.code
