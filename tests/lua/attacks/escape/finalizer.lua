-- __gc runs with hooks off: nothing would stop it.
-- result: [false, "__gc is not available in the sandbox"]
return pcall(setmetatable, {}, {__gc = function() while true do end end})
