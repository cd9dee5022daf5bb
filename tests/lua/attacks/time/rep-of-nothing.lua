-- A C loop that needs no memory.
-- error: cpu_limit
-- needs: process
return ("").rep("", 1 << 62)
