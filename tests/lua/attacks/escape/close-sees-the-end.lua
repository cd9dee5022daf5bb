-- What a __close is given at the end of a run is a sentence that says nothing.
-- error: output_limit
-- limits: output=100
local x <close> = setmetatable({}, {__close = function(_, problem)
  if type(problem) ~= "string" then error(type(problem)) end
end})
while true do print("xxxxxxxxxx") end
