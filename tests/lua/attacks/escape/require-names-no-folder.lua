-- The error for a module that is not there names no folder of the host.
-- result: null
local _, problem = pcall(require, "no.such.module")
return tostring(problem):match("/[^\n]*")
