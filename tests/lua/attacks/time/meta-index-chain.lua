-- A metatable whose __index is itself: Lua ends the chain, and the script begins it anew.
-- error: cpu_limit
local t = {}
setmetatable(t, {__index = t})
while true do pcall(function() return t.x end) end
