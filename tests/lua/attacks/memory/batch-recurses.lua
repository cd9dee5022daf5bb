-- Batches in batches: each that is open costs its part of the memory, and no time of the others.
-- error: memory_limit
local function deep() batch(deep) end
deep()
