-- xpcall passes arguments on.
-- result: [true, 3]
return xpcall(function(a, b) return a + b end, print, 1, 2)
