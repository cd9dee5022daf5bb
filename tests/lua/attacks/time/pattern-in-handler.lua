-- A pattern where hooks are off.
-- error: cpu_limit
-- needs: process
xpcall(error, function() return (("a"):rep(300)):find(".-.-.-.-b") end, "x")
