-- A float and a string that are one key in JSON.
-- error: runtime
-- message: key collision
return json.encode({[1.5] = "a", ["1.5"] = "b"})
