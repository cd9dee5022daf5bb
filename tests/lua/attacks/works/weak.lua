-- Weak tables are allowed.
-- result: "table"
return type(setmetatable({}, {__mode = "k"}))
