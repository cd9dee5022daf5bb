-- No function runs in the real globals, be it loaded, called back or in a coroutine.
-- result: [true, true, true, true]
local function globals() return _ENV == _G end
return load("return _ENV == _G")(), globals(), coroutine.wrap(globals)(),
  select(2, pcall(load("return _ENV == _G")))
