-- The message of a traceback passes through a search for the host's frames.
-- error: cpu_limit
local message = ("\n"):rep(1e6) .. ("x\n"):rep(5e5)
while true do debug.traceback(message) end
