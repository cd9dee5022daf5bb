-- Errors of helpers are as cheap to make as to catch.
-- error: cpu_limit
while true do pcall(regex.match, 1, 2) end
