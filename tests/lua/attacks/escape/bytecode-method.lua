-- Strings have the functions of the library as methods, but not dump.
-- result: null
return ("").dump
