-- A C stack that overflows, again and again.
-- error: cpu_limit
local function f() return (("x"):gsub("x", f)) end
while true do pcall(f) end
