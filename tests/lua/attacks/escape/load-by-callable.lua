-- A reader has to be a function.
-- result: [false, false]
return (pcall(load, setmetatable({}, {__call = function() return nil end}))), (pcall(load, nil))
