-- Each failed call is logged with its message, so the message must not grow with the name.
-- result: true
local name = app
for _ = 1, 3000 do name = name[("x"):rep(90)] end
local _, problem = pcall(name)
return #tostring(problem) < 10000
