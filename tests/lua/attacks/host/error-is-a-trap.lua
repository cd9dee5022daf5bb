-- Every metamethod of an error but __tostring and __pairs is left alone.
-- error: runtime
-- message: mine
local trap = {__metatable = "locked"}
for _, name in ipairs({"__index", "__len", "__eq", "__lt", "__call", "__concat", "__close"}) do
  trap[name] = function() error("called") end
end
error(setmetatable({message = "mine"}, trap))
