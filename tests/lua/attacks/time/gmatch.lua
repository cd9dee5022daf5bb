-- An iterator in C over nothing.
-- error: cpu_limit
while true do for _ in (""):gmatch("") do end end
