-- A reader that waits in the middle.
-- result: ["waiting", 42]
local compile = coroutine.wrap(function()
  local n = 0
  local chunk = load(function()
    n = n + 1
    if n == 1 then return "return " end
    if n == 2 then coroutine.yield("waiting") return "42" end
  end)
  return chunk and chunk()
end)
return compile(), compile()
