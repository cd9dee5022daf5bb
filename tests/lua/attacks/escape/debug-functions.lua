-- Each of them reaches into functions, stacks or the registry.
-- result: 0
local count = 0
local names = {"getregistry", "getupvalue", "setupvalue", "upvaluejoin", "upvalueid", "getlocal", "setlocal", "sethook",
  "gethook", "getinfo", "setmetatable", "getmetatable", "getuservalue", "setuservalue", "debug", "setcstacklimit"}
for _, name in ipairs(names) do
  if debug[name] then count = count + 1 end
end
return count
