-- Strings calculate by metamethods in C.
-- result: 3
return math.tointeger("1" + "2")
