-- An error that contains itself.
-- error: runtime
-- message: mine
local t = {message = "mine"}
t.me = t
error(t)
