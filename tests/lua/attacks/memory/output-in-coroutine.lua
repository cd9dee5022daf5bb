-- Printing in a coroutine that the script does not ask about its end.
-- error: output_limit
-- limits: output=1000
while true do coroutine.resume(coroutine.create(function() print("x") end)) end
