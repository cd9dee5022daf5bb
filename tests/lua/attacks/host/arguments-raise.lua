-- An error in __pairs is the script's own.
-- result: [false, "mine"]
return pcall(app.integrations.segment.track, setmetatable({}, {__pairs = function() error("mine", 0) end}))
