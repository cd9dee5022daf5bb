-- A traceback names functions by their place, not by their address.
-- result: null
local function fail() error({}) end
local _, trace = xpcall(function() fail() end, function() return debug.traceback("x") end)
return trace:match("0x%x%x%x%x+")
