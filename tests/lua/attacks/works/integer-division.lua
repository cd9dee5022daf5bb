-- Two kinds of numbers.
-- result: [3, 3.5, 1, "integer", "float"]
return 7 // 2, 7 / 2, 7 % 2, math.type(1), math.type(1.0)
