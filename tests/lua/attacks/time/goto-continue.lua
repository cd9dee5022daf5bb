-- A repeat loop with a jump over its condition.
-- error: cpu_limit
repeat ::again:: goto again until true
