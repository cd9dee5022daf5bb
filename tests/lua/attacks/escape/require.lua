-- A library of Lua is no module.
-- error: runtime
require("os")
