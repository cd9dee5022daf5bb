-- The error table of a call is joined to a value that shows itself.
-- error: cpu_limit
local _, problem = pcall(app.integrations.nosuch.call, {})
return problem .. setmetatable({}, {__tostring = function() while true do end end})
