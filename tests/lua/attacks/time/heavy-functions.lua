-- Few calls of C functions that take long each.
-- error: cpu_limit
while true do local s = ("x"):rep(4e6) end
