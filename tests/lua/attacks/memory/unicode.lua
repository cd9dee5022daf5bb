-- Characters of six bytes.
-- error: memory_limit
local list = {}
while true do list[#list + 1] = utf8.char(0x7FFFFFFF):rep(1000) .. #list end
