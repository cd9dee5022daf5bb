-- An exponent without end.
-- result: true
local ok, value = pcall(json.decode, "1e" .. ("9"):rep(1e5))
return not ok or value == math.huge
