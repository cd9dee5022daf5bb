-- dump is in no copy of the library.
-- result: [null, null, null]
return string.dump, ("x").dump, rawget(string, "dump")
