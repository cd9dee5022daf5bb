-- The error of a call has to fit into what is left.
-- error: memory_limit
-- limits: memory=400000
local list = {}
while true do list[#list + 1] = {pcall(app.integrations.segment.track, {})} end
