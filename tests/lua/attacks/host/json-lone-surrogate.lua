-- Half a character, escaped.
-- result: "string"
local ok, text = pcall(json.decode, '"\\ud800"')
return type(text)
