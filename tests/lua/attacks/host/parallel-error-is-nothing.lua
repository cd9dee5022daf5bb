-- Nor is no value a success.
-- result: [false, null, true]
local ok, problem = pcall(parallel.map, {1}, function() error() end)
local _, errors = parallel.map({1}, function() error(0/0) end, {on_error = "collect"})
return ok, problem, errors[1].error ~= errors[1].error
