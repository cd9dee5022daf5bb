-- Nesting of objects.
-- result: false
return (pcall(json.decode, ('{"a":'):rep(1e5)))
