-- One thing to close for each level, each with a loop of its own.
-- error: cpu_limit
local meta = {__close = function() while true do end end}
local function nest(n)
  local x <close> = setmetatable({}, meta)
  if n > 0 then nest(n - 1) end
  while true do end
end
nest(150)
