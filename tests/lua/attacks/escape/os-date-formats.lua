-- Every format of a date, also those that C leaves undefined.
-- result: "survived"
for code = 0, 255 do
  pcall(os.date, "%" .. string.char(code))
  pcall(os.date, "%E" .. string.char(code))
  pcall(os.date, "!%O" .. string.char(code))
end
return "survived"
