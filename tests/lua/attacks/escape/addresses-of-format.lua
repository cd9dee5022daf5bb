-- Every letter of format, with every kind of value.
-- result: null
for code = 65, 122 do
  for _, value in ipairs({print, {}, coroutine.create(print), "x"}) do
    local ok, text = pcall(string.format, "%" .. string.char(code), value)
    if ok and text:find("0x%x%x%x%x") then return text end
  end
end
