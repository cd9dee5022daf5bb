-- table.sort within its comparison.
-- error: runtime
-- message: overflow
local function compare() table.sort({2, 1}, compare) return false end
table.sort({2, 1}, compare)
