-- No file outside the folders of modules can be required, however it is spelled.
-- result: []
local found = {}
for _, name in ipairs({"/etc/passwd", "../secret", "..secret", "....etc.passwd", "a/../../b", "~/.profile", "a\0b", "",
  ".", "..", "...", "C:\\x", "\\\\host\\x", "file:///etc/passwd", ("x"):rep(1e6), "\xff", "a\nb", {}, 1}) do
  local ok = pcall(require, name)
  if ok then found[#found + 1] = tostring(name) end
end
return found
