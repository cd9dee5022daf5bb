-- What a script leaves in the libraries is gone with it.
-- result: [null, null, null]
local seen = {rawget(string, "left"), rawget(_G, "left"), rawget(math, "left")}
string.left, left, math.left = 1, 1, 1
return seen[1], seen[2], seen[3]
