-- All that there is, in one dump.
-- result: true
dump(_G)
return true
