-- 255 upvalues are the most.
-- result: null
local source = {}
for index = 1, 190 do source[#source + 1] = "local a" .. index .. " = 1" end
source[#source + 1] = "return function()"
for index = 1, 190 do source[#source + 1] = "local b" .. index .. " = 1" end
source[#source + 1] = "return function() return 0"
for index = 1, 190 do source[#source + 1] = " + a" .. index .. " + b" .. index end
source[#source + 1] = " end end"
return (load(table.concat(source, "\n")))
