-- A mode that allows nothing.
-- result: null
return (load("return 1", "c", ""))
