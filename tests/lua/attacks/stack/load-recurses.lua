-- load within its reader.
-- error: runtime|memory_limit
local function reader() return assert(load(reader)) end
assert(load(reader))
