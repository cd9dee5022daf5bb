-- A colon would pass the namespace as an argument.
-- result: true
local ok, problem = pcall(function() return app.integrations.segment:track({}) end)
return not ok and problem:find("with a dot", 1, true) ~= nil
