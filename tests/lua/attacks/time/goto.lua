-- A loop without a loop statement.
-- error: cpu_limit
::again:: goto again
