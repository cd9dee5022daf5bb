-- A small value with a large text.
-- error: memory_limit
local list, text = {}, ("\1"):rep(1e6)
for index = 1, 20 do list[index] = text end
return #json.encode(list)
