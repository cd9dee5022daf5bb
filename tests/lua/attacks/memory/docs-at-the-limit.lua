-- An answer of the host has to fit into what is left.
-- error: memory_limit|cpu_limit
-- limits: memory=400000
local list = {}
while true do list[#list + 1] = docs.read("segment.track_event") .. #list end
