"""kosmo mcp:tools, mcp:schema: what servers offer."""

import click

from kosmo_lua.answers import ServerTools, ToolList
from kosmo_lua.cli.arguments import server_names, tool_names
from kosmo_lua.cli.plain import table
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import OnceCommand
from kosmo_lua.config import Config
from kosmo_lua.kosmo import Kosmo


def _tool_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
    return [name for name in tool_names("") if name.startswith(incomplete)]


_force = click.option("--force", is_flag=True, help="List a server that the policy denies, too.")


@click.command("mcp:tools", cls=OnceCommand, short_help="List the tools of MCP servers.")
@click.argument("server", required=False, shell_complete=server_names)
@click.option("--refresh", is_flag=True, help="Ask the servers again.")
@_force
@json_option
def tools_command(*, server: str | None, refresh: bool, force: bool, as_json: bool) -> int:
    """List the tools of SERVER, or of every server that is enabled and trusted.

    A server that was listed before is not contacted, unless --refresh is given.
    """
    config = Config.here()
    config.check()  # else each server would say that a file cannot be read
    with Kosmo(config=config, force=force) as kosmo:
        found = kosmo.mcp.tools(server, refresh=refresh)
    errors = [each.error for each in found.servers.values() if each.error]
    return Report(as_json=as_json).facts(found, _tools(found), [*kosmo.mcp.problems, *errors])


@click.command("mcp:schema", cls=OnceCommand, short_help="Show the JSON Schema of a tool.")
@click.argument("tool", shell_complete=_tool_names)
@_force
@json_option
def schema_command(*, tool: str, force: bool, as_json: bool) -> int:
    """Print the JSON Schema of the parameters of TOOL, such as github.create_issue."""
    import json  # noqa: PLC0415  # start-up: --help needs it not

    with Kosmo(config=Config.here(), force=force) as kosmo:
        schema = kosmo.reference.schema(f"mcp.{tool.removeprefix('app.').removeprefix('mcp.')}")
    text = json.dumps(schema.schema, ensure_ascii=False, indent=2)
    return Report(as_json=as_json).facts(schema, text)


def _tools(found: ToolList) -> str:
    rows = [("Tool", "Access", "What it does")]
    rows += [row for server in found.servers.values() for row in _rows(server)]
    return (
        table(rows) if len(rows) > 1 else "There are no tools: kosmo mcp:list shows the servers."
    )


def _rows(server: ServerTools) -> list[tuple[str, str, str]]:
    return [
        (each.function.removeprefix("mcp."), each.access, each.summary) for each in server.tools
    ]
