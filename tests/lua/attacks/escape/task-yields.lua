-- Who yields in a task gets nothing of the machinery, and gives it nothing.
-- result: [false, "eval"]
local ok, problem = pcall(parallel.map, {1}, function() return coroutine.yield({}) end)
return ok, problem:find("attempt to yield out of parallel", 1, true) and "eval"
