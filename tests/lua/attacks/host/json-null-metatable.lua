-- The metatable of the null of JSON is closed.
-- result: [false, false]
return getmetatable(json.null), (pcall(setmetatable, json.null, {}))
