-- Arguments that are different each time they are read.
-- result: [false, "invalid_arguments", 1]
local reads = 0
local function once()
  reads = reads + 1
  return next, {["x" .. reads] = reads}
end
local argument = setmetatable({}, {__pairs = once})
local ok, problem = pcall(app.integrations.segment.track, argument)
return ok, problem.code, reads
