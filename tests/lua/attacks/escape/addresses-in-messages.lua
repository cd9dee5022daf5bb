-- Messages of Lua's own functions name types, not addresses.
-- result: null
local values = {print, {}, coroutine.create(print), setmetatable({}, {}), app, json.null}
local functions = {string.rep, table.concat, math.floor, tonumber, ipairs, utf8.char, select, load, os.date, rawlen,
  coroutine.resume, error, setmetatable}
for _, f in ipairs(functions) do
  for _, value in ipairs(values) do
    local _, problem = pcall(f, value, value, value)
    if type(problem) == "string" and problem:find("0x%x%x%x%x") then return problem end
  end
end
