-- A pattern with its own limit of time does not outlast the script's.
-- error: cpu_limit
while true do pcall(regex.match, ("x"):rep(40), "(x+x+)+y") end
