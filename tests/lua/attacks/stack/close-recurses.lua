-- __close that makes more to close.
-- error: runtime|memory_limit|cpu_limit
local function nest() local x <close> = setmetatable({}, {__close = nest}) end
nest()
