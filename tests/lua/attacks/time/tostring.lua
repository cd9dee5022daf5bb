-- print calls __tostring on the host's behalf.
-- error: cpu_limit
print(setmetatable({}, {__tostring = function() while true do end end}))
