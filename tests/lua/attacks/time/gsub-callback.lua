-- string.gsub calls back from C.
-- error: cpu_limit
string.gsub("x", "x", function() while true do end end)
