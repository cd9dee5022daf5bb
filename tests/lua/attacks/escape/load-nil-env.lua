-- An environment of nil is none, and not the default.
-- result: false
return (pcall(load("return type", "c", "t", nil)))
