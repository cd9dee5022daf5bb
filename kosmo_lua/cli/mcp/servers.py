"""kosmo mcp:list, mcp:export: the servers that are configured."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from kosmo_lua.answers import ServerEntry, ServerExport, ServerList
from kosmo_lua.cli.mcp.options import Setup, scope_of
from kosmo_lua.cli.plain import escaped, table
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import StrictCommand
from kosmo_lua.config.folders import absolute
from kosmo_lua.errors import ConfigError
from kosmo_lua.mcp.documents import FORMATS, Format
from kosmo_lua.mcp.editing import as_text
from kosmo_lua.mcp.exporting import exported
from kosmo_lua.mcp.sensitive import shown_args, shown_value
from kosmo_lua.mcp.server import Server
from kosmo_lua.values import HIDDEN, JsonObject


@click.command("mcp:list", cls=StrictCommand, short_help="List the MCP servers.")
@click.option("--all", "everything", is_flag=True, help="Also those that are disabled.")
@json_option
def list_command(*, everything: bool, as_json: bool) -> int:
    """List the MCP servers of the project and your own. None is started, and no secret is shown."""
    setup = Setup()
    servers = [s for s in setup.servers.all.values() if everything or s.enabled]
    listing = ServerList(tuple(_entry(setup, server) for server in servers))
    return Report(as_json=as_json).facts(listing, _text(listing, setup), setup.servers.problems)


def _entry(setup: Setup, server: Server) -> ServerEntry:
    return ServerEntry(
        name=server.name,
        alias=server.alias,
        type=server.kind,
        enabled=server.enabled,
        source=scope_of(server.project),
        path=server.source,
        command=server.command and shown_value(server.command),
        args=shown_args(server.args),
        cwd=server.cwd,
        env=tuple(server.env),
        url=server.url and shown_value(server.url),
        headers=tuple(server.headers),
        timeout=server.timeout,
        trust=setup.trust.state(server),
        permissions=setup.permissions(server.alias),
    )


def _text(listing: ServerList, setup: Setup) -> str:
    if not listing.servers:
        hidden = len(setup.servers.all)
        return f"All {hidden} MCP servers are disabled." if hidden else "There are no MCP servers."
    rows = [
        (
            each.name,
            f"mcp.{each.alias}",
            each.url or _words(each.command or "", each.args),
            each.trust if each.enabled else f"{each.trust}, disabled",
            f"read {each.permissions.read}, write {each.permissions.write}",
            each.path,
        )
        for each in listing.servers
    ]
    return table([("Server", "In Lua", "What it is", "Trust", "Policy", "File"), *rows])


def _words(command: str, args: Sequence[str]) -> str:
    return shlex.join([command, *args]).replace(shlex.quote(HIDDEN), HIDDEN)


@click.command("mcp:export", cls=StrictCommand, short_help="Write the MCP servers for others.")
@click.option(
    "--format",
    "style",
    type=click.Choice([*FORMATS]),
    default="mcpServers",
    show_default=True,
    help="As most clients read it, or as VS Code does.",
)
@click.option("--path", metavar="FILE", help="The file to write, instead of stdout.")
@click.option("--force", is_flag=True, help="Replace the file, if there is one.")
@json_option
def export_command(*, style: Format, path: str | None, force: bool, as_json: bool) -> int:
    """Write the servers that are enabled as one document for other clients; it has no secrets."""
    setup = Setup()
    servers = [server for server in setup.servers.all.values() if server.enabled]
    document, warnings = exported(servers, style)
    if path is not None:
        path = absolute(path)
        _write(path, as_text(document), force=force)
    names = tuple(server.name for server in servers)
    text = _text_of(document) if path is None else f"Wrote {path}."
    facts = ServerExport(style, path, names, document)
    return Report(as_json=as_json).facts(facts, text, [*setup.servers.problems, *warnings])


def _text_of(document: JsonObject) -> str:
    return "\n".join(map(escaped, as_text(document).splitlines()))


def _write(path: str, text: str, *, force: bool) -> None:
    from kosmo_lua.config.files import replace  # noqa: PLC0415  # start-up: not for --help

    if os.path.lexists(path) and not force:
        raise ConfigError(f"there is {path} already", hint="Give --force to replace it.")
    try:
        replace(Path(path).resolve(), text, 0o644)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
