-- All that there is, in one text.
-- result: false
return (pcall(json.encode, _G))
