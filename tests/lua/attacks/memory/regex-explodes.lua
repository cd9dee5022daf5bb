-- A replacement that multiplies.
-- error: runtime|memory_limit
return #regex.gsub(("x"):rep(1e5), "x", ("y"):rep(1e4))
