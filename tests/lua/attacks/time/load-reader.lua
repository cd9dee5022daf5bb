-- load catches the errors of its reader.
-- error: cpu_limit
while true do load(function() while true do end end) end
