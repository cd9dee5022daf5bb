-- A name of a megabyte.
-- result: ["unknown_integration", "unknown_function"]
local long = ("x"):rep(1e6)
local _, first = pcall(app.integrations[long].x, {})
local _, second = pcall(app.integrations.segment[long], {})
return {first.code, second.code}
