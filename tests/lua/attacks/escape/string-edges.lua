-- Places before, in and after a string.
-- result: ["", "x", "", null, ""]
local least, most = math.mininteger, math.maxinteger
return ("x"):sub(most, least), ("x"):sub(least, most), ("x"):rep(least), ("x"):byte(most), ("x"):sub(most)
