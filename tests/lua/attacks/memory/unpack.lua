-- As many results as the stack could never hold.
-- error: runtime
return table.unpack({}, 1, 1e9)
