-- The load in an environment of one's own compiles for the script's globals.
-- result: true
return load("return load('return _G')()", "c", "t", {load = load})() == _G
