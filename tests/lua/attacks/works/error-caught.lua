-- An error is what was raised.
-- result: [false, "m"]
return pcall(error, "m", 0)
