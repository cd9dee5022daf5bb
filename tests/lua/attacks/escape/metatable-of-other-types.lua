-- Only tables can get one, as in Lua.
-- result: [false, false, false, false, false]
return (pcall(setmetatable, 1, {})), (pcall(setmetatable, print, {})), (pcall(setmetatable, nil, {})),
  (pcall(setmetatable, true, {})), (pcall(setmetatable, coroutine.create(print), {}))
