-- A batch returns its report, and then what its function returns.
-- result: [0, "a", null, "c"]
local report, a, b, c = batch(function() return "a", nil, "c" end)
return report.queued, a, b, c
