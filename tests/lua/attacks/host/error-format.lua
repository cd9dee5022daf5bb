-- format among them shows no address.
-- result: true
local _, problem = pcall(app.integrations.nosuch.call, {})
local text = ""
for _, pattern in ipairs({"%p", "%s", "%10p", "%-5s"}) do
  for _, value in ipairs({print, {}, coroutine.create(print), "x"}) do
    local _, shown = pcall(problem.format, pattern, value)
    text = text .. tostring(shown)
  end
end
return text:find("0x", 1, true) == nil
