-- Few instructions that take long: no count of instructions stands for time.
-- error: cpu_limit
local s = ("x"):rep(4e6) while true do local t = s .. "y" end
