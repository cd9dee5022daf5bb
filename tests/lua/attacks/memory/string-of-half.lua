-- The largest string is about half of the memory, because it is built beside itself.
-- result: 12000000
return #("x"):rep(1.2e7)
