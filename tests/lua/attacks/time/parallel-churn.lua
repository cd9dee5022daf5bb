-- Groups that are begun and left, one after the other.
-- error: cpu_limit
while true do pcall(parallel.map, {1, 2, 3}, error) end
