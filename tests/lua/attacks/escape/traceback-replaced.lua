-- lupa looks for debug.traceback whenever Python calls Lua.
-- error: runtime
debug.traceback = function() while true do end end
setmetatable(debug, {__index = function() while true do end end})
error("x")
