-- Compiling counts as running.
-- error: cpu_limit
local source = ("x = 1 "):rep(10000)
while true do load(source) end
