-- Constants are constants.
-- error: syntax
-- message: attempt to assign to const variable
local x <const> = 1
x = 2
