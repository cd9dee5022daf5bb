-- An error of the handler is an error.
-- result: false
return (xpcall(error, function() error("again") end, "x"))
