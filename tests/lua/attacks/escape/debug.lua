-- Only traceback of it is there.
-- result: ["traceback"]
local names = {} for name in pairs(debug) do names[#names + 1] = name end return names
