-- A chain through a table with weak keys: the collector looks at all of it for each link.
-- error: cpu_limit|memory_limit
local weak, key = setmetatable({}, {__mode = "k"}), {}
local first = key
for _ = 1, 2e5 do
  local link = {}
  weak[key] = link
  key = link
end
while true do local garbage = {} end
