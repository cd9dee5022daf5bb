-- Backtracking in C, in a coroutine, where no hook is set.
-- error: cpu_limit
-- needs: process
coroutine.wrap(function() return (("a"):rep(300)):find(".-.-.-.-b") end)()
