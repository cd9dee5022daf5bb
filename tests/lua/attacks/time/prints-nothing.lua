-- A line costs a byte of output, so eight million of them may be printed.
-- error: cpu_limit
while true do print() end
