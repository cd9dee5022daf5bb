-- Collecting on request would be work in C.
-- error: cpu_limit
local t = {} for i = 1, 1e5 do t[i] = {} end while true do collectgarbage() end
