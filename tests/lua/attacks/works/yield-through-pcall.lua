-- Lua 5.4 can; a guarded pcall must too.
-- result: 1
return coroutine.wrap(function() return pcall(coroutine.yield, 1) end)()
