-- No return value is null.
-- result: null
local x = 1
