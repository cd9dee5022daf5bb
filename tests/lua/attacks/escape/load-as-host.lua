-- A chunk that calls itself the host's gets nothing for it.
-- result: [false, "x"]
return pcall(load("error('x')", "=[kosmo]"))
