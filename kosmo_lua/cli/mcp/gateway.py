"""kosmo mcp:gateway:*: the configuration with which clients start the gateway."""

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from kosmo_lua.answers.gateway import ClientConfig, Installed
from kosmo_lua.cli.mcp.gateway_options import flags_of, gateway_options, offer_of
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import OnceCommand
from kosmo_lua.config import Config
from kosmo_lua.gateway import clients
from kosmo_lua.mcp.documents import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = "kosmo"


def _name_option(command: "Callable[..., Any]") -> "Callable[..., Any]":
    return click.option(
        "--name",
        default=_NAME,
        show_default=True,
        metavar="NAME",
        help="The name of the server in the client.",
    )(command)


@click.command(
    "mcp:gateway:export", cls=OnceCommand, short_help="Print the configuration for coding agents."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice([*FORMATS]),
    default="mcpServers",
    show_default=True,
    help="mcpServers: Claude Code, Cursor and most others; vscode: VS Code.",
)
@_name_option
@gateway_options
@json_option
@click.pass_context
def export_command(ctx: click.Context, /, **options: Any) -> int:  # noqa: ANN401  # click's values
    """Print the configuration with which a client starts `kosmo mcp:serve`, with the options given here.

    kosmo mcp:gateway:export --integration posthog --write deny
    """
    format_ = options["format_"]
    server = clients.entry(format_, clients.own_command(sys.argv[0]), flags_of(ctx, options))
    config = clients.document(format_, options["name"], server)
    text = json.dumps(config, indent=2, ensure_ascii=False)
    return Report(as_json=options["as_json"]).facts(ClientConfig(format_, config), text)


@click.command(
    "mcp:gateway:install", cls=OnceCommand, short_help="Let a coding agent start kosmo."
)
@click.argument("client", type=click.Choice([*clients.CLIENTS]))
@click.option(
    "--project/--global",
    default=True,
    show_default=True,
    help="In the project's file, or in that of the user.",
)
@click.option("--force", is_flag=True, help="Replace another server of the name.")
@_name_option
@gateway_options
@json_option
@click.pass_context
def install_command(ctx: click.Context, /, **options: Any) -> int:  # noqa: ANN401  # click's values
    """Write into the file of a client how it starts `kosmo mcp:serve`, with the options given here.

    What else is in the file stays. In a project that is .mcp.json, .cursor/mcp.json or .vscode/mcp.json.
    """
    from kosmo_lua.gateway.kosmos import check_names  # noqa: PLC0415  # only here

    client, name, config = options["client"], options["name"], Config.here()
    check_names(offer_of(options), os.environ, config)  # else the client would only see it end
    format_ = clients.CLIENTS[client].format
    command, flags = clients.own_command(sys.argv[0]), flags_of(ctx, options)
    path = clients.path_of(
        client,
        [*command, "mcp:serve", *flags],
        config,
        os.environ,
        project=options["project"],
    )
    server = clients.entry(format_, command, flags)
    changed = clients.install(path, format_, name, server, config=config, force=options["force"])
    title = clients.CLIENTS[client].title
    text = f"{path}: {title} starts kosmo as {name}" + ("." if changed else ", as before.")
    facts = Installed(client, path, name, changed)
    return Report(as_json=options["as_json"]).facts(facts, text)
