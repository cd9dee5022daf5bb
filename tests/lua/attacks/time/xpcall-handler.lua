-- Hooks are off in the handler of an error that a hook has raised.
-- error: cpu_limit
while true do xpcall(function() while true do end end, function() while true do end end) end
