-- Globals of a loaded chunk are the script's.
-- result: 5
load("loaded = 5")()
return loaded
