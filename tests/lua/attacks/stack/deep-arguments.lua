-- Arguments that are nested too deep are an error of the call.
-- result: [false, "invalid_arguments"]
local t = 1
for _ = 1, 1e5 do t = {t} end
local ok, problem = pcall(app.integrations.segment.track, {event = "E", userId = "u", properties = {t}})
return ok, problem.code
