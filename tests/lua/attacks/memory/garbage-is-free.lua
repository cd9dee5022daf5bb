-- What can be collected does not count.
-- result: "done"
for i = 1, 40 do local s = ("x"):rep(1e6) .. i end return "done"
