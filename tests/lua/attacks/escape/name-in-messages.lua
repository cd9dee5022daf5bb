-- __name is shown in messages, in place of an address.
-- result: true
local t = setmetatable({}, {__name = "0x123456789abc"})
local _, problem = pcall(string.rep, t)
return problem:find("table expected", 1, true) == nil and not tostring(t):find("0x", 1, true)
