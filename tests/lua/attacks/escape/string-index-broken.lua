-- A library without functions.
-- result: "{\n  a: 1\n}"
for name in pairs(string) do string[name] = nil end
setmetatable(string, {__index = function() error("called") end})
return tostring({a = 1})
