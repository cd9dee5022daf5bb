-- The methods of an error table come from a table that has dump.
-- result: false
local _, err = pcall(app.integrations.nosuch.call, {}) return (pcall(err.dump, print))
