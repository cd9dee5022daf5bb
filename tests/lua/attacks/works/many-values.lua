-- Five hundred results of a C function.
-- result: 500
return select("#", string.byte(("x"):rep(500), 1, -1))
