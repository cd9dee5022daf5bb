-- load gives the sandbox, not the real globals.
-- result: [true, null]
return load("return _G")() == _G, load("return python")()
