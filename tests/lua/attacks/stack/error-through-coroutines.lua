-- An error passes through a hundred coroutines.
-- error: runtime
-- message: deep
local function nest(n) if n == 0 then error("deep") end coroutine.wrap(nest)(n - 1) end
nest(100)
