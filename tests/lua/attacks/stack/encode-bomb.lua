-- Nesting without end, to be written.
-- result: false
local t = 1 for i = 1, 1e4 do t = {t} end return (pcall(json.encode, t))
