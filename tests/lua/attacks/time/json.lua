-- The library that hosts brought along counts as the script.
-- error: cpu_limit
local s = "[" .. ("1,"):rep(1e5) .. "1]" while true do json.decode(s) end
