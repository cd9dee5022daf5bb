-- Globals that cannot be written, read or listed.
-- result: 1
setmetatable(_G, {__newindex = function() error("write") end, __index = function() error("read") end,
  __pairs = function() error("list") end, __metatable = "locked"})
return 1
