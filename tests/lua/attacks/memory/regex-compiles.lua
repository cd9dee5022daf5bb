-- A pattern that is small as text only.
-- error: runtime
return regex.match("x", ("(a{1000}"):rep(6) .. ("){1000}"):rep(6))
