-- An error that looks as if it had a position.
-- error: runtime
error("x:" .. ("9"):rep(400) .. ": y", 0)
