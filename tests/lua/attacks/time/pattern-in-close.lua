-- A pattern while the run unwinds.
-- error: cpu_limit
-- needs: process
local x <close> = setmetatable({}, {__close = function() (("a"):rep(300)):find(".-.-.-.-b") end})
return (("a"):rep(300)):find(".-.-.-.-b")
