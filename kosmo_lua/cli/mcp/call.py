"""kosmo mcp:call and mcp:SERVER: call one tool, without Lua."""

import click

from kosmo_lua.cli.call import FunctionGroup, group_of
from kosmo_lua.config import Config
from kosmo_lua.kosmo import Kosmo

call_command = FunctionGroup(
    "mcp:call",
    "mcp.",
    short_help="Call a tool of an MCP server.",
    help="Call FUNCTION, such as github.create_issue, with flags, a JSON object, or `-` for JSON from stdin.",
)


def servers() -> list[str]:
    """Return the names of the MCP servers, as Lua has them and as their files have them."""
    known = Kosmo(config=Config.here()).catalog.servers
    states = known.states() if known else ()
    return [*dict.fromkeys(str(state[key]) for key in ("name", "server") for state in states)]


def server_command(name: str) -> click.Command:
    """Return the command `mcp:SERVER`, which calls the tools of one server."""
    return group_of(f"mcp:{name}", f"mcp.{name}")
