-- The null of JSON as an error.
-- error: runtime
-- message: null
error(json.null)
