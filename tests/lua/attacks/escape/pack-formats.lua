-- Every format of string.pack, with nothing that fits.
-- result: "survived"
for code = 0, 255 do
  local format = string.char(code)
  pcall(string.pack, format, 1, "x")
  pcall(string.pack, format .. "16", 1)
  pcall(string.unpack, format, ("x"):rep(32), math.mininteger)
  pcall(string.packsize, "!" .. format .. ("9"):rep(20))
end
return "survived"
