"""The commands `mcp:*`."""
