-- What is printed lies outside Lua's memory.
-- error: output_limit
while true do print(("x"):rep(1e5)) end
