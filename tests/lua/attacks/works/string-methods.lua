-- The library is there.
-- result: "xxxY3"
return ("x"):rep(3) .. ("y"):upper() .. #"abc"
