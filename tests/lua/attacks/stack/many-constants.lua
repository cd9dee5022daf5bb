-- A function with more constants than fit into an instruction works all the same.
-- result: 100000
local source = {}
for index = 1, 1e5 do source[index] = index + 0.5 end
return #load("return {" .. table.concat(source, ",") .. "}")()
