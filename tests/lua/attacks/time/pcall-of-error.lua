-- Short protected calls: none of them runs long enough to be noticed by itself.
-- error: cpu_limit
while true do pcall(error) end
