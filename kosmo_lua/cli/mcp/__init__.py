"""The commands `kosmo mcp:*`: a module for each family of them."""
