-- A table that is emptied and filled while it is walked.
-- result: "survived"
local t = {}
for index = 1, 100 do t["k" .. index] = index end
pcall(function()
  for key in next, t do
    t[key] = nil
    for index = 1, 50 do t["n" .. key .. index] = index end
    if #key > 60 then break end
  end
end)
return "survived"
