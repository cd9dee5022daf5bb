-- %s calls the real tostring.
-- result: "function {}"
return ("%s %s"):format(print, {})
