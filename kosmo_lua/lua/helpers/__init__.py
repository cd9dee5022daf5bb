"""The Lua tables whose functions are written in Python, a module each."""
