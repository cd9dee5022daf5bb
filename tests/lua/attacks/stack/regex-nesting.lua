-- A pattern with groups without end.
-- result: false
return (pcall(regex.match, "x", ("("):rep(30000) .. (")"):rep(30000)))
