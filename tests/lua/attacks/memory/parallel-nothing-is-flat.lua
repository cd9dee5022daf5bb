-- A task that has ended leaves only the place of its result.
-- result: 50000
-- limits: memory=4000000
local n = 0
return #parallel.map(function() n = n + 1 if n <= 50000 then return n end end, function() end, {limit = 256})
