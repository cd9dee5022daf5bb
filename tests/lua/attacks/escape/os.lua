-- Only the clock of it is there.
-- result: {"clock": true, "date": true, "difftime": true, "time": true}
local names = {} for name in pairs(os) do names[name] = true end return names
