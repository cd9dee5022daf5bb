-- A C loop that needs no memory, also between two nothings.
-- error: cpu_limit
-- needs: process
return ("").rep("", math.maxinteger, "")
