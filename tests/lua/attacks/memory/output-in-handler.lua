-- Printing in a handler.
-- error: output_limit
-- limits: output=1000
while true do xpcall(error, function() print(("x"):rep(100)) end, "x") end
