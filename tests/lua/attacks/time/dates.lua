-- The C library formats dates.
-- error: cpu_limit
while true do os.date(("%c"):rep(1000)) end
