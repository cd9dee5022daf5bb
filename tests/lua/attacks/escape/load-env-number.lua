-- An environment that is no table.
-- result: false
return (pcall(load("return x", "c", "t", 5)))
