-- Digits without end.
-- result: false
return (pcall(json.decode, ("9"):rep(1e5)))
