-- Shared by every string.
-- result: false
return getmetatable("")
