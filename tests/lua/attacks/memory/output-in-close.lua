-- Printing while something is closed.
-- error: output_limit
-- limits: output=1000
while true do
  local x <close> = setmetatable({}, {__close = function() pcall(print, ("x"):rep(100)) end})
end
