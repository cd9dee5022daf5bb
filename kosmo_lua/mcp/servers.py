"""Servers: which MCP servers the files of a configuration define, and under which names Lua has them."""

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from kosmo_lua.config import Config
from kosmo_lua.config.log import hide_in_log
from kosmo_lua.errors import ConfigError, Denied, UnknownIntegration
from kosmo_lua.mcp.definitions import server_of
from kosmo_lua.mcp.documents import entries, paths, read, shown
from kosmo_lua.mcp.server import alias_of
from kosmo_lua.suggestions import nearest

if TYPE_CHECKING:
    from collections.abc import Collection

    from kosmo_lua.config.command import Tell
    from kosmo_lua.mcp.server import Endpoint, Server


class _Found(NamedTuple):
    """What the files say."""

    servers: dict[str, "Server"]
    broken: dict[str, ConfigError]
    """The problem of each entry that cannot be used, by its name."""
    problems: list[ConfigError]
    unread: list[ConfigError]
    """Those of whole files."""
    hidden: dict[str, str]
    """Names of servers of the user that a project's file has, too; with the path of the user's file."""


class Servers:
    """The MCP servers that the files of a configuration define. They are read when something is asked for.

    `only` are the names, or aliases, of those that may be used; None: all. Below a gateway (KOSMO_GATEWAY)
    there are none that would start another one.
    """

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        *,
        only: "Collection[str] | None" = None,
    ) -> None:
        self._config = config
        self._environ = environ
        self._only = only

    @cached_property
    def all(self) -> "dict[str, Server]":
        """Every server by its alias, also the disabled: those of the file that counts most first, by name."""
        return self._found.servers

    @cached_property
    def problems(self) -> list[str]:
        """A sentence for each file, or entry of a file, that cannot be used; it costs only itself."""
        return [
            f"{error.message}. {error.hint}" if error.hint else error.message
            for error in self._found.problems
        ]

    def get(self, name: str) -> "Server":
        """Return an enabled server, by its alias or its name.

        Raises:
            UnknownIntegration: there is none; names the nearest ones.
            ConfigError: its entry cannot be used.
            Denied: it is disabled.
        """
        server = self._find(name)
        if not server.enabled:
            from shlex import quote  # noqa: PLC0415  # only for an error

            message = f"the MCP server {server.name} is disabled in {server.source}"
            raise Denied(message, hint=f"Run: kosmo mcp:enable {quote(server.handle)}")
        return server

    def hidden_by(self, server: "Server") -> str | None:
        """Return the user's file that defines a server of this name, too; None: a project's hides none."""
        return self._found.hidden.get(server.name) if server.project is not None else None

    def find(self, name: str) -> "Server":
        """Return a server, be it enabled or not, for a command that is about it.

        Raises:
            UnknownIntegration: there is none; names the nearest ones.
            ConfigError: its entry cannot be used, or another server has its name for its alias.
        """
        self.check_unambiguous(name)
        return self._find(name)

    def check_unambiguous(self, name: str) -> None:
        """Return when a name is not that of one server, and the alias of another.

        Raises:
            ConfigError: it is; a command could change the wrong one.
        """
        by_alias = self.all.get(name)
        by_name = next((each for each in self.all.values() if each.name == name), by_alias)
        if by_alias and by_name and by_alias is not by_name:
            message = f"{name} is the name of one MCP server, and the alias of {by_alias.name}"
            hint = f"Write {by_alias.name}, or {by_name.alias} for the other one."
            raise ConfigError(message, hint=hint)

    def _find(self, name: str) -> "Server":
        found = self._found
        by_name = {server.name: server for server in found.servers.values()}
        if name in found.servers:  # first: Lua knows no other names
            return found.servers[name]
        if name in by_name:
            return by_name[name]
        if name in found.broken:
            raise found.broken[name]
        for broken in found.broken:
            if broken and alias_of(broken) == name:
                raise found.broken[broken]
        raise self._unknown(name, [*found.servers, *by_name])

    def _unknown(self, name: str, known: list[str]) -> UnknownIntegration:
        near = list(dict.fromkeys(nearest(name, known, like=0.5)))
        message = f"unknown MCP server {name if name.isprintable() else shown(name)}"
        if near:
            message += f". Did you mean: {', '.join(near)}?"
        for error in self._found.unread:  # it may be one of those
            message += f"; {error.message}"
        return UnknownIntegration(message, hint="List them: kosmo mcp:list --all")

    def endpoint(self, server: "Server", tell: "Tell") -> "Endpoint":
        """Return what it takes to reach a server; `tell` is told of each process that runs meanwhile.

        Raises:
            ConfigError: a variable or a secret that its definition needs is not there.
            ExtraMissing: a secret is in the keyring, which is not installed.
        """
        from kosmo_lua.mcp.expansion import Expansion  # noqa: PLC0415  # subprocess, only to reach one

        endpoint = Expansion(server, self._config, self._environ, tell).endpoint()
        hide_in_log(endpoint.secrets, self._environ)
        return endpoint

    @cached_property
    def _found(self) -> _Found:
        found = _Found({}, {}, [], [], {})
        taken, servers = set[str](), list["Server"]()
        for path, project in paths(self._config):
            try:
                if not os.path.lexists(path):
                    continue
                defined = entries(read(path), path)
            except ConfigError as error:
                found.problems.append(error)
                found.unread.append(error)
                continue
            if project is None:
                found.hidden.update(dict.fromkeys({*defined} & taken, path))
            for name in sorted({*defined} - taken):
                taken.add(name)
                try:
                    servers.append(server_of(name, defined[name], path, project))
                except ConfigError as error:
                    found.broken[name] = error
                    found.problems.append(error)
        self._add(found, servers)
        for alias in [alias for alias in found.servers if not self._usable(found.servers[alias])]:
            del found.servers[alias]
        return found

    def _usable(self, server: "Server") -> bool:
        """Whether it may be used here: a gateway that reached itself would start itself without end."""
        if self._environ.get("KOSMO_GATEWAY") and "mcp:serve" in server.args:
            return False
        return self._only is None or server.name in self._only or server.alias in self._only

    @staticmethod
    def _add(found: _Found, servers: "list[Server]") -> None:
        """Give each server its alias. The user's own choose first: rules of the policy are for an alias."""
        chosen = dict[str, "Server"]()
        for server in sorted(servers, key=lambda each: each.project is not None):
            alias, number = server.alias, 1
            while alias in chosen:
                number += 1
                alias = f"{server.alias}_{number}"
            if number > 1:
                other = chosen[server.alias]
                message = (
                    f"{server.source}: {server.name} is mcp.{alias} in Lua,"
                    f" because mcp.{server.alias} is {other.name} of {other.source}"
                )
                found.problems.append(ConfigError(message, hint="Rename one of them."))
            chosen[alias] = server
        aliases = {server.name: alias for alias, server in chosen.items()}
        for server in servers:
            found.servers[aliases[server.name]] = replace(server, alias=aliases[server.name])
