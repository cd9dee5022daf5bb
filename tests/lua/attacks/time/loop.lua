-- The plain case.
-- error: cpu_limit
while true do end
