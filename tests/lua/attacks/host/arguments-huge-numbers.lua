-- Numbers at the edges of what Python and JSON can hold.
-- result: "invalid_arguments"
local values = {math.maxinteger, math.mininteger, 1e308, -1e308, 5e-324, 2 ^ 53 + 1}
local _, problem = pcall(app.integrations.segment.track, values, values, values)
return problem.code
