-- Levels that there are not, and that are no numbers.
-- result: "survived"
for _, level in ipairs({0, 1, 50, -1, 1e9, math.maxinteger, math.mininteger}) do
  local trace = debug.traceback("x", level)
  if trace:find("[kosmo]", 1, true) then return trace end
end
pcall(debug.traceback, "x", {})
pcall(debug.traceback, "x", setmetatable({}, {__add = function() return 1 end}))
return "survived"
