-- Names of functions and chunks are no way to a huge document.
-- error: runtime
-- document: 200000
local name = ("f"):rep(1e6)
load("local function " .. name .. "() error('x') end " .. name .. "()", "=" .. ("n"):rep(1e5))()
