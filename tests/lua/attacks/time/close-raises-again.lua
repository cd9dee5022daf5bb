-- __close replaces the error that ends the run by one of its own, time and again.
-- error: cpu_limit
local meta = {__close = function() error("mine") end}
while true do
  pcall(function()
    local x <close> = setmetatable({}, meta)
    while true do end
  end)
end
