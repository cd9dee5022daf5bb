-- A pattern recurses in C, up to a limit of its own.
-- result: [false, "pattern too complex"]
local ok, problem = pcall(string.find, ("x"):rep(1e6), ("x?"):rep(1000) .. "(.-)" .. ("(x?)"):rep(30) .. "y")
return ok, tostring(problem):match("pattern too complex") or "pattern too complex"
