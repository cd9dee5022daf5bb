-- Every level of protection must let it through.
-- error: cpu_limit
local function f() pcall(f) while true do end end f()
