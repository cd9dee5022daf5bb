"""The values that cross between Lua, HTTP and the command line: JSON, and nothing else."""

from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

HIDDEN = "********"
"""Stands for a secret, whatever its length."""

MCP_PREFIX = "mcp."
"""What the name of an integration begins with that is an MCP server: `mcp.github`."""
