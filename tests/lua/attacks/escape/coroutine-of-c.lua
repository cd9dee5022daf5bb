-- Coroutines of C functions, also of the host's guarded ones.
-- result: "survived"
local functions = {print, pcall, xpcall, error, load, next, coroutine.yield, coroutine.wrap, coroutine.resume,
  coroutine.close, coroutine.running, setmetatable, string.rep, table.sort, app.integrations.segment.track,
  json.encode, docs.list, regex.match}
for _, f in ipairs(functions) do
  local thread = coroutine.create(f)
  for _ = 1, 3 do pcall(coroutine.resume, thread, {}, {}) end
  pcall(coroutine.close, thread)
  pcall(coroutine.wrap(f), "x", f)
end
return "survived"
