-- An object without fields.
-- result: {}
return json.object()
