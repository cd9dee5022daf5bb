-- A mode that is no string stands for text.
-- result: [null, 1]
return (load("\27Lua", "c", 5)), (load("return 1", "c", {}) or function() return 1 end)()
