-- The real globals are not the script's.
-- result: 1
setmetatable(_G, {__index = function() error("mine") end}) return 1
