-- The longest loop that can be counted.
-- error: cpu_limit
for _ = math.mininteger, math.maxinteger do end
