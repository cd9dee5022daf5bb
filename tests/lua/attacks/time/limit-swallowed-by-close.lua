-- Ends the run in a __close, whose own error Lua puts in place of the first one.
-- error: cpu_limit
local function again()
  local x <close> = setmetatable({}, {__close = again})
  while true do end
end
pcall(again)
while true do end
