-- load returns the errors of its reader.
-- error: memory_limit
while true do load(function() return ("x"):rep(1e9) end) end
