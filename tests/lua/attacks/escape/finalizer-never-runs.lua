-- A __gc that got into a metatable is never called.
-- result: 0
local count = 0
for _ = 1, 1000 do
  local meta = {}
  setmetatable({}, meta)
  meta.__gc = function() count = count + 1 end
end
for _ = 1, 100 do local s = ("x"):rep(1e6) .. count end
return count
