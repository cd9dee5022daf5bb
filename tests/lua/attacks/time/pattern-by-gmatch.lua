-- Backtracking in the iterator of string.gmatch.
-- error: cpu_limit
-- needs: process
for _ in (("a"):rep(400)):gmatch(".-.-.-.-b") do end
