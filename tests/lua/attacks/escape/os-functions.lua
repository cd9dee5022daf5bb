-- Time is all that is told of the machine.
-- result: []
local found = {}
for _, name in ipairs({"execute", "exit", "getenv", "remove", "rename", "setlocale", "tmpname"}) do
  if os[name] then found[#found + 1] = name end
end
return found
