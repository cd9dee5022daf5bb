"""The gateway: kosmo as an MCP server, for coding agents."""
