-- Without arguments Lua seeds with the address of its state, and returns it.
-- result: 0
return select("#", math.randomseed())
