-- The script is a file of its own folder, so it may ask for itself; a module that needs itself is an error.
-- error: runtime
require("require-itself")
