-- A __close that raises something else does not change why the run ended.
-- error: cpu_limit
local x <close> = setmetatable({}, {__close = function() error({code = "mine"}) end})
while true do end
