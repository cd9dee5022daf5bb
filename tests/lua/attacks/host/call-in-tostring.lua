-- A value that calls a service when it is shown.
-- result: true
local shown = tostring(setmetatable({}, {__tostring = function()
  local _, problem = pcall(app.integrations.segment.track, {})
  return problem.code
end}))
return shown == "invalid_arguments"
