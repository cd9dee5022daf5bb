-- __close gets the error itself.
-- result: "mine"
local seen
pcall(function()
  local x <close> = setmetatable({}, {__close = function(_, problem) seen = problem end})
  error("mine", 0)
end)
return seen
