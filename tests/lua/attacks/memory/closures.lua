-- Functions.
-- error: memory_limit
-- limits: memory=4000000
local list = {}
while true do list[#list + 1] = function() return list end end
