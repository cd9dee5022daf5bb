"""What the commands about MCP servers have in common: the argument SERVER, whose files, how things are."""

import os
from shlex import quote
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kosmo_lua.answers import Permissions, ServerChange
from kosmo_lua.config import Config
from kosmo_lua.mcp.sensitive import is_sensitive, literals_of, literals_of_args
from kosmo_lua.mcp.servers import Servers
from kosmo_lua.mcp.trust import Trust
from kosmo_lua.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from kosmo_lua.mcp.server import Server

_Command = TypeVar("_Command", bound="Callable[..., Any]")


class Setup:
    """What the files say where the command runs."""

    def __init__(self) -> None:
        self.config = Config.here()
        self.servers = Servers(self.config, os.environ)
        self.trust = Trust(self.config, os.environ)

    def reread(self) -> None:
        """Forget what was read: the files have been changed."""
        self.config.reread()
        self.servers = Servers(self.config, os.environ)

    def permissions(self, alias: str) -> Permissions:
        """Return what is decided for the tools of a server."""
        policy = Policy(os.environ, config=self.config)
        read, write = (policy.decision(f"mcp.{alias}", each) for each in ("read", "write"))
        return Permissions(read, write)

    def facts(self, server: "Server") -> ServerChange:
        """Return how things are with a server."""
        return ServerChange(
            server.name,
            server.alias,
            scope_of(server.project),
            server.source,
            server.enabled,
            self.trust.state(server),
            self.permissions(server.alias),
        )


def plain_secrets(server: "Server", path: str) -> list[str]:
    """Say which secrets of a server are now in a file where others can see them."""
    written = [
        (name if is_sensitive(name) else f"a part of {name}", name)
        for table in (server.env, server.headers)
        for name, value in table.items()
        if literals_of(value, name)
    ]
    if literals_of_args((server.command or "", *server.args)):
        written.append(("an argument", "KEY"))
    if server.url and literals_of(server.url):
        written.append(("the address", "KEY"))
    return [
        f"{what} looks like a secret, and is now in {path} as plain text:"
        f" store it with kosmo mcp:secret:set {quote(server.name)} {key},"
        f" and write ${{KOSMO_SECRET:mcp.{server.name}.{key}}} there"
        for what, key in written
    ]


def scope_of(project: str | None) -> str:
    """Return whose file a server is in, as options and answers name it."""
    return "global" if project is None else "project"


def server_argument(command: _Command) -> _Command:
    """Add the argument SERVER."""
    return click.argument("server", shell_complete=_names)(command)


def scope_option(help_text: str) -> "Callable[[_Command], _Command]":
    """Return what adds --project and --global; `project` is None when neither is given."""
    return click.option("--project/--global", "project", default=None, help=help_text)


def _names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
    servers = Servers(Config.here(), os.environ).all.values()
    return [server.handle for server in servers if server.handle.startswith(incomplete)]
