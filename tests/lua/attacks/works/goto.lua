-- A jump.
-- result: 3
local n = 0
::again::
n = n + 1
if n < 3 then goto again end
return n
