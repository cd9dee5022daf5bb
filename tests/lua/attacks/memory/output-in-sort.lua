-- Printing in a comparison.
-- error: output_limit
-- limits: output=1000
while true do pcall(table.sort, {2, 1}, function() print(("x"):rep(100)) end) end
