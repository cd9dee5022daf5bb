"""kosmo mcp:resources, resource, prompts, prompt: what a server offers beside its tools."""

from typing import Any

import click

from kosmo_lua.cli import payload as payloads
from kosmo_lua.cli.approval import with_force
from kosmo_lua.cli.arguments import server_names
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import OnceCommand
from kosmo_lua.config import AUDIT, Config
from kosmo_lua.errors import InvalidArguments
from kosmo_lua.kosmo import Kosmo
from kosmo_lua.values import JsonObject

_server = click.argument("server", shell_complete=server_names)
_force = click.option(
    "--force", is_flag=True, help="Lift the policies ask and deny for this call."
)


@click.command("mcp:resources", cls=OnceCommand, short_help="List the resources of an MCP server.")
@_server
@_force
@json_option
def resources_command(**options: Any) -> int:  # noqa: ANN401  # click's values
    """List the resources and the resource templates of SERVER."""
    return _request("resources/list", {}, **options)


@click.command("mcp:resource", cls=OnceCommand, short_help="Read a resource of an MCP server.")
@_server
@click.argument("uri")
@_force
@json_option
def resource_command(*, uri: str, **options: Any) -> int:  # noqa: ANN401  # the same
    """Read the resource URI of SERVER."""
    return _request("resources/read", {"uri": uri}, **options)


@click.command("mcp:prompts", cls=OnceCommand, short_help="List the prompts of an MCP server.")
@_server
@_force
@json_option
def prompts_command(**options: Any) -> int:  # noqa: ANN401  # the same
    """List the prompts of SERVER, with their arguments."""
    return _request("prompts/list", {}, **options)


@click.command("mcp:prompt", cls=OnceCommand, short_help="Fill in a prompt of an MCP server.")
@_server
@click.argument("prompt")
@click.argument("payload", required=False, metavar="[JSON | -]")
@_force
@json_option
def prompt_command(*, prompt: str, payload: str | None, **options: Any) -> int:  # noqa: ANN401  # the same
    """Fill in PROMPT of SERVER with the texts of a JSON object."""
    try:
        arguments = payloads.read(payload, or_piped=False)
    except InvalidArguments as error:  # a prompt has no flags
        names = f"kosmo mcp:prompts {options['server']}"
        error.hint = f'Write it like \'{{"name": "value"}}\'; {names} has the names.'
        raise
    return _request("prompts/get", {"name": prompt, "arguments": arguments}, **options)


def _request(
    method: str, parameters: JsonObject, *, server: str, force: bool, as_json: bool
) -> int:
    config = Config.here()
    with Kosmo(config=config, force=force, audit=config.path(AUDIT), remedy=with_force) as kosmo:
        result = kosmo.attempt(f"mcp.{server}.{method}", parameters)
    return Report(as_json=as_json).call(result)
