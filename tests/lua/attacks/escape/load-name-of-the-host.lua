-- A chunk with the host's name hides its own frames, and no one else's.
-- error: runtime
local chunk = load("local function f() error('x') end f()", "=[kosmo]")
chunk()
