-- Binary strings.
-- error: memory_limit
local list = {}
while true do list[#list + 1] = string.pack("s4", ("x"):rep(65536) .. #list) end
