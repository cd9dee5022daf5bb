-- regex is the host's work, but charged: a script cannot compute with it for free.
-- error: cpu_limit
while true do regex.gsub(("a"):rep(10000), "a", "b") end
