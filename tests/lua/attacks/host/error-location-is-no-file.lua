-- A message that begins like a place in a file of the host.
-- error: runtime
error("/etc/passwd:1: x", 0)
