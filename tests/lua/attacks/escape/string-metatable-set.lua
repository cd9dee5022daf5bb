-- The metatable of strings cannot be replaced.
-- result: false
return (pcall(setmetatable, "", {}))
