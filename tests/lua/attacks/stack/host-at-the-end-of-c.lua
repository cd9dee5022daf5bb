-- Each helper is called where hardly any of C's stack is left.
-- result: "survived"
local helpers = {
  function() print("x") end, function() json.encode({{1}}) end, function() json.decode("[[1]]") end,
  function() regex.match("x", "x") end, function() docs.read("segment") end,
  function() app.integrations.segment.track({}) end, function() dump({1}) end,
}
for _, helper in ipairs(helpers) do
  local function f() pcall(helper) return (("x"):gsub("x", f)) end
  pcall(f)
end
return "survived"
