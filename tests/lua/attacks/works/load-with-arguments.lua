-- A chunk gets arguments.
-- result: 42
return load("return ... + 1")(41)
