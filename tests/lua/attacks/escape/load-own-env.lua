-- An environment given to load stays what Lua says.
-- result: 7
return load("return x", "c", "t", {x = 7})()
