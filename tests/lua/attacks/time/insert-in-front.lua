-- Each insertion moves the whole list.
-- error: cpu_limit
local list = {}
for index = 1, 2e5 do list[index] = index end
while true do
  table.insert(list, 1, 0)
  table.remove(list, 1)
end
