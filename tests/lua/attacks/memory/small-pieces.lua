-- Nearly all of the memory, and then the smallest things.
-- error: memory_limit
local list = {}
pcall(function()
  for size = 24, 0, -1 do
    while #list < 1e6 do list[#list + 1] = ("x"):rep(1 << size) .. #list end
  end
end)
while true do list = {list} end
