-- Two hundred locals are the most.
-- result: null
local names = {}
for index = 1, 300 do names[index] = "a" .. index end
return (load("local " .. table.concat(names, ",") .. " = 1"))
