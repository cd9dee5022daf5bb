-- One format that asks for a gigabyte.
-- error: memory_limit|runtime
return #string.pack("c1000000000", "")
