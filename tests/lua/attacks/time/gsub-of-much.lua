-- A callback for each of a million characters.
-- error: cpu_limit
local text = ("x"):rep(1e6)
while true do text:gsub("x", function() end) end
