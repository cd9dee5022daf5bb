-- A table is no key.
-- error: runtime
-- message: cannot use table as
return json.encode({[{}] = 1})
