-- Garbage is collected before a limit is declared.
-- result: 1
for index = 1, 60 do local s = ("x"):rep(1e6) .. index end
return 1
