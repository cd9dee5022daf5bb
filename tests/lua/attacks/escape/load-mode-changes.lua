-- A mode with an NUL.
-- result: null
return (load("\27Lua", "c", "b\0t"))
