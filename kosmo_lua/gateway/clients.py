"""The configuration of the clients that start the gateway, and where each keeps it.

Sources: https://code.claude.com/docs/en/mcp, https://docs.cursor.com/context/mcp,
https://code.visualstudio.com/docs/copilot/chat/mcp-servers
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import join
from typing import NamedTuple

from kosmo_lua.config import LOCK, Config
from kosmo_lua.errors import ConfigError
from kosmo_lua.mcp.documents import FORMATS, Format
from kosmo_lua.mcp.editing import refuse_links, rewrite
from kosmo_lua.values import JsonObject


class Client(NamedTuple):
    """A program that starts MCP servers."""

    title: str
    format: Format
    project: str
    """Its file below the root of a project."""


CLIENTS = {
    "claude": Client("Claude Code", "mcpServers", ".mcp.json"),
    "cursor": Client("Cursor", "mcpServers", ".cursor/mcp.json"),
    "vscode": Client("VS Code", "vscode", ".vscode/mcp.json"),
}


def own_command(program: str) -> list[str]:
    """Return the command that starts this kosmo from anywhere; `program` is what this process was called."""
    path = Path(program)
    if path.stem == "kosmo" and path.is_file():
        # The link of a tool manager stays one: its target moves.
        return [os.path.abspath(path)]
    return [sys.executable, "-m", "kosmo_lua"]


def entry(format_: Format, command: Sequence[str], flags: Sequence[str]) -> JsonObject:
    """Return the entry of the gateway, as a client reads it."""
    program, *first = command
    kind: JsonObject = {"type": "stdio"} if format_ == "vscode" else {}
    return {**kind, "command": program, "args": [*first, "mcp:serve", *flags]}


def document(format_: Format, name: str, server: JsonObject) -> JsonObject:
    """Return the configuration with this entry alone."""
    return {FORMATS[format_]: {name: server}}


def path_of(
    client: str,
    server: Sequence[str],
    config: Config,
    environ: Mapping[str, str],
    *,
    project: bool,
) -> str:
    """Return the file in which a client looks for the servers of the project, or of the user.

    Raises:
        ConfigError: there is none, or only the client itself may write it.
    """
    if project:
        if config.root is None:
            raise ConfigError("there is no project here: its folder was removed")
        return os.path.join(config.root, CLIENTS[client].project)
    if client == "claude":
        message = "Claude Code keeps the servers of the user in a file that it writes itself"
        hint = f"Run: claude mcp add --scope user kosmo -- {join(server)}"
        raise ConfigError(message, hint=hint)
    home = environ.get("HOME", "")
    if not home:
        raise ConfigError("there is no folder of the user: HOME is not set")
    if client == "cursor":
        return os.path.join(home, ".cursor", "mcp.json")
    settings = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    if sys.platform == "darwin":
        settings = os.path.join(home, "Library", "Application Support")
    return os.path.join(settings, "Code", "User", "mcp.json")


def install(
    path: str, format_: Format, name: str, server: JsonObject, *, config: Config, force: bool
) -> bool:
    """Write the entry into a client's file, whatever else is there stays; return whether it has changed.

    Raises:
        ConfigError: another entry has the name and `force` is not given, or the file cannot be changed.
    """

    def edit(found: JsonObject) -> None:
        servers = found.setdefault(FORMATS[format_], {})
        if not isinstance(servers, dict):
            raise ConfigError(f"{path}: {FORMATS[format_]} must be an object of servers")
        if servers.get(name) == server:
            return
        if name in servers and not force:
            message = f"{path} has another server of the name {name}"
            raise ConfigError(message, hint="Replace it with --force, or choose another --name.")
        servers[name] = server

    refuse_links(path)
    by_hand = f"Add it in an editor: kosmo mcp:gateway:export --format {format_}"
    lock = config.path(LOCK) or f"{path}.lock"
    return rewrite(path, edit, lock=lock, mode=0o644, by_hand=by_hand)
