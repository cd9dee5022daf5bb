-- A __close that raises something else does not change why the run ended.
-- error: output_limit
-- limits: output=100
local x <close> = setmetatable({}, {__close = function() error({code = "mine"}) end})
while true do print("xxxxxxxxxx") end
