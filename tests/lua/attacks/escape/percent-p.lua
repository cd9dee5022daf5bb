-- A percent sign before a p is none.
-- result: "5%p"
return ("5%%p"):format()
