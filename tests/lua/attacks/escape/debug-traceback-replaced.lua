-- lupa looks for it in the real globals, unprotected, at each call.
-- error: runtime
debug = {traceback = function() while true do end end} error("x")
