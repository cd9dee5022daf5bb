-- Strings as keys.
-- error: memory_limit
-- limits: memory=4000000
local t, n = {}, 0
while true do n = n + 1 t["key" .. n] = n end
