-- The null of JSON is one value for all.
-- error: runtime
json.null.x = 1
