-- The sentence of an error has the methods of a string.
-- error: cpu_limit
-- needs: process
local _, problem = pcall(app.integrations.nosuch.call, {})
return problem.find(("a"):rep(300), ".-.-.-.-b")
