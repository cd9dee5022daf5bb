-- The hook's own message, raised by the script.
-- result: [false, "x\u0003"]
return pcall(error, "x\3", 0)
