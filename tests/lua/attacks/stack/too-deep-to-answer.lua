-- The host's answer needs room on Lua's stack.
-- result: "survived"
local function f(n) if n > 0 then return 1 + f(n - 1) end print("deep") return 1 end
for n = 199900, 200000, 10 do pcall(f, n) end
return "survived"
