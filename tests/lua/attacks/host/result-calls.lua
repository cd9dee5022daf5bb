-- __pairs of a result that calls a service: it is still in time.
-- result: {"code": "invalid_arguments"}
return setmetatable({}, {__pairs = function()
  local _, problem = pcall(app.integrations.segment.track, {})
  return next, {code = problem.code}
end})
