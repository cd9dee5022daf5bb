-- A __close cannot turn the end of a run into a result.
-- error: memory_limit
local function f()
  local x <close> = setmetatable({}, {__close = function() return 1 end})
  return ("x"):rep(1e9)
end
return f() or 1
