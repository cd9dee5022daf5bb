-- The arguments of the script are an ordinary table.
-- result: "mine"
arg = setmetatable(arg, {__index = function() return "mine" end})
return arg[5]
