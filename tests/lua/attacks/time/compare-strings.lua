-- One instruction that compares megabytes.
-- error: cpu_limit
local a, b = ("x"):rep(4e6) .. "a", ("x"):rep(4e6) .. "b"
while true do local c = a < b end
