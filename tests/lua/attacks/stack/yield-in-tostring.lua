-- The host's format is Lua, and can wait in the middle.
-- result: ["waiting", "mine"]
local show = coroutine.wrap(function()
  return tostring(setmetatable({}, {__tostring = function() coroutine.yield("waiting") return "mine" end}))
end)
return show(), show()
