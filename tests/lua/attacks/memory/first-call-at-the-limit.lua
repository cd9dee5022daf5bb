-- The first look into a namespace makes tables, here with nothing left to make them of.
-- error: memory_limit
-- limits: memory=60000
local list = {}
pcall(function() while true do list = {list} end end)
for name in pairs(app.integrations) do print(name) end
