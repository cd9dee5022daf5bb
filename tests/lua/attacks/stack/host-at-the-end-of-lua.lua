-- Each helper is called where hardly any of Lua's own stack is left.
-- result: "survived"
local helpers = {
  function() json.encode({{1}}) end, function() regex.match("x", "x") end, function() dump({1}) end,
  function() app.integrations.segment.track({}) end,
}
local function f(n, helper) if n > 0 then return 1 + f(n - 1, helper) end helper() return 1 end
for _, helper in ipairs(helpers) do
  for n = 199900, 200000, 25 do pcall(f, n, helper) end
end
return "survived"
