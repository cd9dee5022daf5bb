-- Times that no calendar has.
-- result: "survived"
for _, time in ipairs({math.maxinteger, math.mininteger, -1, 1e300, 2 ^ 55, -2 ^ 55}) do
  pcall(os.date, "*t", time)
  pcall(os.date, "%c", time)
  pcall(os.time, {year = time, month = time, day = time})
  pcall(os.difftime, time, -time)
end
return "survived"
