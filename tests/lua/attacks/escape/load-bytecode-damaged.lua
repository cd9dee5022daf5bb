-- Bytecode with every possible first bytes.
-- result: 0
local count = 0
for byte = 0, 255 do
  local chunk = load("\27Lua\x54" .. string.char(byte) .. "\x19\x93\r\n\x1a\n", "c", "bt")
  if chunk then count = count + 1 end
end
return count
