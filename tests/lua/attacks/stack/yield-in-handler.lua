-- A handler cannot wait.
-- result: false
return (coroutine.wrap(function() return xpcall(error, coroutine.yield, "x") end)())
