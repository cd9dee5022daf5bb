-- A width is at most two digits.
-- error: runtime
return ("%1000000000d"):format(1)
