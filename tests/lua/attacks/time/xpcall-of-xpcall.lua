-- xpcall as its own function and handler.
-- error: cpu_limit
while true do xpcall(xpcall, xpcall, xpcall, xpcall) end
