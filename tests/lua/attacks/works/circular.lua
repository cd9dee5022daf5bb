-- A result that contains itself.
-- result: {"me": "<circular>"}
local t = {} t.me = t return t
