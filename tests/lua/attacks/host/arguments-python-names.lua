-- Names that mean something to Python mean nothing here.
-- result: {"__class__": "invalid_arguments", "__init__": "invalid_arguments", "model_config": "invalid_arguments", "model_fields": "invalid_arguments", "self": "invalid_arguments"}
local codes = {}
for _, name in ipairs({"__class__", "__init__", "model_config", "model_fields", "self"}) do
  local _, problem = pcall(app.integrations.segment.track, {event = "E", userId = "u", [name] = {}})
  codes[name] = problem.code
end
return codes
