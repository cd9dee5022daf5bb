-- Counting characters again and again.
-- error: cpu_limit
local text = ("é"):rep(1e6)
while true do utf8.len(text) end
