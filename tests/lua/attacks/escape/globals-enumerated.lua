-- Nothing under the names of Lua's own that lead out.
-- result: []
local found = {}
for _, name in ipairs({"io", "package", "dofile", "loadfile", "loadstring", "module", "setfenv", "getfenv",
  "newproxy", "unpack", "warn", "python", "ffi", "jit", "bit32", "luajava"}) do
  if _G[name] ~= nil then found[#found + 1] = name end
end
return found
