-- Backtracking in string.gsub.
-- error: cpu_limit
-- needs: process
return (("a"):rep(400)):gsub(".-.-.-.-b", "")
