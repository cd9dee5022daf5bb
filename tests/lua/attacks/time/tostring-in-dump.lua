-- dump shows a value by its __tostring, also deep inside.
-- error: cpu_limit
dump({a = {b = setmetatable({}, {__tostring = function() while true do end end})}})
