-- No environment at all.
-- result: false
return (pcall(load("x = 1", "c", "t", nil)))
