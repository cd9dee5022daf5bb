"""kosmo mcp:call and mcp:SERVER: call one tool, without Lua."""

import os
from contextlib import suppress

import click

from kosmo_lua.cli.call import FunctionGroup, group_of
from kosmo_lua.config import Config
from kosmo_lua.errors import UnknownIntegration
from kosmo_lua.kosmo import Kosmo

call_command = FunctionGroup(
    "mcp:call",
    "mcp.",
    short_help="Call a tool of an MCP server.",
    help="Call FUNCTION, such as github.create_issue, with flags, a JSON object, or `-` for JSON from stdin.",
)


def servers() -> dict[str, str]:
    """Return the names of the MCP servers in Lua, by those and by the ones that their files have."""
    known = Kosmo(config=Config.here()).catalog.servers
    states = known.states() if known else ()
    own = {str(state["name"]): str(state["name"]) for state in states}
    return own | {str(s["server"]): str(s["name"]) for s in states if s["server"] not in own}


def check(name: str) -> None:
    """Return when there is nothing wrong with a server that is not among `servers`.

    Raises:
        ConfigError: it is defined, and cannot be used.
    """
    from kosmo_lua.mcp.servers import Servers  # noqa: PLC0415  # only for an error

    with suppress(UnknownIntegration):
        Servers(Config.here(), os.environ).find(name)


def server_command(name: str, alias: str) -> click.Command:
    """Return the command `mcp:NAME`, which calls the tools of one server."""
    return group_of(f"mcp:{name}", f"mcp.{alias}")
