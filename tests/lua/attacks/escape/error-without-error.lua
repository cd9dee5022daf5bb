-- The functions with which errors are made, replaced.
-- error: runtime
error, pcall, xpcall, assert = nil
local x = nil + 1
