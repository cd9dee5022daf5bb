-- Names with NUL, newlines, invalid text, and of a megabyte.
-- result: 4
local count = 0
for _, name in ipairs({"=a\0b", "@a\nb", "=\xff\xfe", "@" .. ("x"):rep(1e6)}) do
  local ok, problem = pcall(load("error('x')", name))
  if not ok and #problem < 200 then count = count + 1 end
end
return count
