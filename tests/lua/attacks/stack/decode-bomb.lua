-- Nesting without end.
-- result: [false, "json.decode: line 1, column 513: nested too deep (more than 512 levels)"]
return pcall(json.decode, ("["):rep(1e6))
