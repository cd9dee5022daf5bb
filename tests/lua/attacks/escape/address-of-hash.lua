-- The order of next shows no address either: keys of strings only.
-- result: "string"
return type(next({abc = 1}))
