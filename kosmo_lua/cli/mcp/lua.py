"""kosmo mcp:lua: run a Lua workflow that needs MCP servers only."""

from typing import Any

import click

from kosmo_lua.cli.lua import ScriptCommand, run
from kosmo_lua.cli.lua import command as integrations_lua


@click.pass_context
def _run(ctx: click.Context, /, **options: Any) -> int:  # noqa: ANN401  # click's values, one for each option
    return run(ctx, {**options, "mcp_only": True})


command = ScriptCommand(
    "mcp:lua",
    callback=_run,
    params=[each for each in integrations_lua.params if each.name != "emulator"],
    short_help="Run a Lua workflow on MCP servers only.",
    help="""Run the Lua workflow FILE, `-` for stdin, or the code of --eval, without integrations.

    The script sees app.mcp.*, mcp.*, docs.*, json.*, regex.*, print and dump. What follows `--` on the
    command line is its table `arg`.

        kosmo mcp:lua --eval 'dump(mcp.servers())' --json
    """,
)
