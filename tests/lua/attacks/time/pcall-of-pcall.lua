-- pcall as its own argument.
-- error: cpu_limit
while true do pcall(pcall, pcall, error) end
