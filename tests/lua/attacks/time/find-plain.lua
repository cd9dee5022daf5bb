-- A plain search through megabytes, again and again.
-- error: cpu_limit
local text = ("a"):rep(4e6)
while true do text:find(("a"):rep(1000) .. "b", 1, true) end
