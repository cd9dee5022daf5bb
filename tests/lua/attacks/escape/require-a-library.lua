-- No library, native or not, is a module.
-- result: []
local found = {}
local names = {"os", "io", "debug", "package", "string", "lupa", "python", "kosmo_lua", "ffi", "socket", "lfs"}
for _, name in ipairs(names) do
  local ok, value = pcall(require, name)
  if ok then found[#found + 1] = name end
end
return found
