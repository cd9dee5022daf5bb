-- The metatable of strings is not shown by anything.
-- result: [false, false]
return getmetatable(""), getmetatable(("x"):rep(100))
