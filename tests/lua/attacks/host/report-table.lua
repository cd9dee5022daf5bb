-- A __close meets the error that ends the run, and could change the host's account of it.
-- error: runtime
local x <close> = setmetatable({}, {__close = function(_, problem)
  problem.type, problem.origin, problem.limit = "boom", "boom", "boom"
end})
error({code = 5})
