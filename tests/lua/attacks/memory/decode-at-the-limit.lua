-- A small text with a large value.
-- error: memory_limit
-- limits: memory=4000000
return #json.decode("[" .. ("[],"):rep(5e5) .. "1]")
