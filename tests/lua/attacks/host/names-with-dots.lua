-- A name with dots is no path to something else than the dots would be.
-- result: ["invalid_arguments", "unknown_function", "unknown_integration"]
local _, same = pcall(app.integrations["segment.track"], {})
local _, up = pcall(app.integrations.segment["..posthog.capture_event"], {})
local _, empty = pcall(app.integrations["."], {})
return same.code, up.code, empty.code
