-- Out of memory is an error in Lua's eyes.
-- error: memory_limit
while true do pcall(string.rep, "x", 1e9) end
