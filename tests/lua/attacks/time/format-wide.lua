-- The widest number that format accepts, again and again.
-- error: cpu_limit
while true do local s = ("%99.99f"):format(1e308) end
