-- The default mode of Lua takes both.
-- result: null
return (load("\27Lua", "x", "bt"))
