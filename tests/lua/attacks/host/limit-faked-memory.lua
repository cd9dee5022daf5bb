-- Lua's own words for out of memory, raised by a script: they cannot be told from the real ones, and end the run.
-- error: memory_limit
return pcall(error, "not enough memory", 0)
