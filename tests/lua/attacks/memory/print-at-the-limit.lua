-- The host is called when hardly anything is left.
-- error: memory_limit|output_limit
-- limits: memory=4000000
local list = {}
while true do
  list = {list, ("x"):rep(1000) .. #tostring(list ~= nil)}
  print("y")
end
