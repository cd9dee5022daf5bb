-- A comparison that changes what is sorted.
-- result: "survived"
local list = {}
for index = 1, 200 do list[index] = index end
pcall(table.sort, list, function(a, b)
  for index = 1, #list do list[index] = nil end
  return (a or 0) < (b or 0)
end)
return "survived"
