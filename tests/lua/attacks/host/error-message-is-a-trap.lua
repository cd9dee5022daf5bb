-- A message that is no text.
-- error: runtime
error({message = setmetatable({}, {__tostring = function() error("again") end})})
