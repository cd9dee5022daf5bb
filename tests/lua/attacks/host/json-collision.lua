-- A number and a string that are one key in JSON.
-- error: runtime
-- message: key collision
return json.encode({[0] = "a", ["0"] = "b"})
