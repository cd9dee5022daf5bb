-- A limit is an error in Lua's eyes, and pcall catches errors.
-- error: cpu_limit
while true do pcall(function() while true do end end) end
