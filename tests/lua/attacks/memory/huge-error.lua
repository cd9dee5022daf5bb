-- A message is cut where it is reported.
-- result: 5000000
local ok, problem = pcall(error, ("x"):rep(5e6)) return #problem
