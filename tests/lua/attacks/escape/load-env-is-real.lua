-- A chunk with an environment of its own sees nothing else.
-- result: [true, true]
local seen = load("return _G, python, debug, io", "c", "t", {})
local a, b, c, d = seen()
return a == nil, b == nil and c == nil and d == nil
