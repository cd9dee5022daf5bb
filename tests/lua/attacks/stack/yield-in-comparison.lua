-- C code that cannot wait.
-- result: false
return (coroutine.wrap(function() return pcall(table.sort, {2, 1}, coroutine.yield) end)())
