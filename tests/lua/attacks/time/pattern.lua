-- Backtracking in C: no hook is ever called.
-- error: cpu_limit
-- needs: process
return (("a"):rep(300)):find(".-.-.-.-b")
