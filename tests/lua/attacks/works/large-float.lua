-- Beyond 2^53 a float stays one.
-- result: 9.223372036854776e+18
return 2 ^ 63
