-- One table in two places is two values.
-- result: "[{\"a\":1},{\"a\":1}]"
local shared = {a = 1}
return json.encode({shared, shared})
