-- A script without globals.
-- error: runtime
-- message: attempt to call a nil value
local globals = _G
for name in next, globals do globals[name] = nil end
error("x")
