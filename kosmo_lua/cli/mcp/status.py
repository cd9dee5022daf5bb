"""kosmo mcp:status, mcp:doctor: which MCP servers can be used, and what to do for the others."""

import click

from kosmo_lua.answers import ServerDiagnosis, ServerStates
from kosmo_lua.cli.arguments import server_names
from kosmo_lua.cli.plain import table
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import OnceCommand
from kosmo_lua.config import Config
from kosmo_lua.kosmo import Kosmo

_server = click.argument("server", required=False, shell_complete=server_names)


@click.command("mcp:status", cls=OnceCommand, short_help="Show which MCP servers there are.")
@_server
@json_option
def status_command(*, server: str | None, as_json: bool) -> int:
    """Show whether SERVER, or each server, is enabled and trusted, and its number of tools.

    None is contacted.
    """
    kosmo = Kosmo(config=_config())
    states = kosmo.mcp.states(server)
    return Report(as_json=as_json).facts(states, _status(states), kosmo.mcp.problems)


@click.command(
    "mcp:doctor", cls=OnceCommand, short_help="Contact MCP servers, and say what is wrong."
)
@_server
@json_option
def doctor_command(*, server: str | None, as_json: bool) -> int:
    """Contact SERVER, or each server that is enabled and trusted, and say what comes next."""
    with Kosmo(config=_config()) as kosmo:
        found = kosmo.mcp.diagnose(server)
    text = "\n\n".join(_diagnosis(name, each) for name, each in found.servers.items())
    return Report(as_json=as_json).facts(found, text or _NONE, kosmo.mcp.problems)


def _config() -> Config:
    """Return what is configured; a file that cannot be read would fail every call."""
    config = Config.here()
    config.check()
    return config


_NONE = "There are no MCP servers: add one with kosmo mcp:add."


def _status(states: ServerStates) -> str:
    rows = [("Server", "Type", "State", "Trust", "Tools", "Defined in")]
    for each in states.servers:
        state = "enabled" if each.enabled else "disabled"
        tools = "?" if each.tools is None else str(each.tools)
        rows.append((each.name, each.type, state, each.trust, tools, each.source))
    return table(rows) if states.servers else _NONE


def _diagnosis(name: str, found: ServerDiagnosis) -> str:
    lines = [f"{name}: {found.state}", f"  {found.message}", "  next:"]
    return "\n".join([*lines, *(f"    {command}" for command in found.next_commands)])
