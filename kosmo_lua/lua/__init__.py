"""The Lua host: a sandbox in which a script runs, and what watches over it."""
