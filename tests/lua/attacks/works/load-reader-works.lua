-- A reader gives a source in pieces.
-- result: 42
local n = 0 return load(function() n = n + 1 return ({"return ", "42"})[n] end)()
