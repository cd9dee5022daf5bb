-- The options of json.encode are copied: a metatable that answers with code is not asked.
-- result: "1"
return json.encode(1, setmetatable({}, {__index = function() while true do end end}))
