-- A __close meets what ends the run, and could change it.
-- error: output_limit
local x <close> = setmetatable({}, {__close = function(_, problem)
  if type(problem) == "table" then for key in pairs(problem) do problem[key] = nil end end
end})
while true do print(("x"):rep(1e6)) end
