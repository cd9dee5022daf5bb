-- An error comes out of a coroutine with its place.
-- result: [false, "coroutine-error.lua:3: x"]
return coroutine.resume(coroutine.create(function() error("x") end))
