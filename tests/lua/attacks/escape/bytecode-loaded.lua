-- load takes text only, whatever the mode says.
-- result: [null, "attempt to load a text chunk (mode is 'b')"]
return load("\27Lua", "x", "b")
