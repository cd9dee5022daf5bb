-- Options are copied as they are: a metatable that answers with code is not asked.
-- result: 1
return json.decode("1", setmetatable({}, {__index = function() while true do end end}))
