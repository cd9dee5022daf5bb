-- The null of JSON keeps its meaning with fields in it.
-- result: "[null]"
rawset(json.null, "x", 1)
rawset(json.null, 1, 2)
return json.encode({json.null})
