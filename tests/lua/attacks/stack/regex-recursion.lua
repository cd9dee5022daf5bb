-- A pattern that calls itself.
-- result: false
return (pcall(regex.match, ("("):rep(2e4), "(\\((?1)*\\))+$"))
