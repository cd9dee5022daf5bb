"""Inspection: which MCP servers there are, what they offer, and what is wrong with them."""

import time
from shlex import quote
from typing import TYPE_CHECKING, Any, Literal

from kosmo_lua.answers import (
    FunctionEntry,
    ServerDiagnoses,
    ServerDiagnosis,
    ServerState,
    ServerStates,
    ServerTools,
    ToolList,
)
from kosmo_lua.errors import KosmoError
from kosmo_lua.mcp.catalog import ServerCatalog
from kosmo_lua.mcp.server import Server

if TYPE_CHECKING:  # pydantic, only for a server that is used
    from kosmo_lua.integration import Integration


class Inspection:
    """Looks at the servers of a catalog."""

    def __init__(self, catalog: ServerCatalog) -> None:
        self._catalog = catalog

    @property
    def problems(self) -> list[str]:
        """What is wrong with the files that define servers."""
        return self._catalog.problems

    def states(self, name: str | None = None) -> ServerStates:
        """Return what is known of a server, or of each; none is contacted.

        Raises:
            UnknownIntegration: there is none of that name.
        """
        chosen = self._catalog.servers.find(name).alias if name else None
        found: list[Any] = self._catalog.states()
        states = (ServerState(**each) for each in found if chosen in (None, each["name"]))
        return ServerStates(tuple(states))

    def tools(self, name: str | None = None, *, refresh: bool = False) -> ToolList:
        """Return the tools of a server, or of each that is enabled and trusted.

        One that was listed before is contacted only to `refresh`.

        Raises:
            KosmoError: the named server cannot be used; of several each costs only itself.
        """
        ask = self._catalog.renewed if refresh else self._catalog.integration
        if name is not None:
            return ToolList({self._catalog.trusted(name).alias: _tools_of(ask(name))})
        names = self._catalog.names
        return ToolList({alias: self._listed(alias, refresh=refresh) for alias in names})

    def _listed(self, alias: str, *, refresh: bool) -> ServerTools:
        try:
            return self.tools(alias, refresh=refresh).servers[alias]
        except KosmoError as error:
            return ServerTools(alias, (), _told(error))

    def diagnose(self, name: str | None = None) -> ServerDiagnoses:
        """Contact a server, or each that is enabled and trusted, and say what came of it.

        Raises:
            UnknownIntegration: there is none of that name.
        """
        servers = self._catalog.servers
        chosen = [servers.find(name)] if name else [*servers.all.values()]
        return ServerDiagnoses({server.alias: self._diagnosis(server) for server in chosen})

    def _diagnosis(self, server: Server) -> ServerDiagnosis:
        handle = quote(server.handle)
        if not server.enabled:
            message = f"It is disabled in {server.source}."
            return _not_contacted("disabled", message, f"kosmo mcp:enable {handle}")
        if (trust := self._catalog.trust.state(server)) in ("untrusted", "changed"):
            why = (
                "it has changed since it was trusted"
                if trust == "changed"
                else "nobody has approved of that"
            )
            message = f"A project defines it, in {server.source}, and {why}."
            return _not_contacted("untrusted", message, f"kosmo mcp:trust {handle}")
        started = time.perf_counter()
        try:
            tools = len(self._catalog.renewed(server.alias).functions)
        except KosmoError as error:
            next_commands = ("kosmo mcp:list", f"kosmo mcp:doctor {handle}")
            return ServerDiagnosis("failed", _told(error), None, _since(started), next_commands)
        message = f"It has answered: {tools} {'tool' if tools == 1 else 'tools'}."
        listed = (f"kosmo mcp:tools {handle}",)
        return ServerDiagnosis("works", message, tools, _since(started), listed)


def _not_contacted(
    state: Literal["disabled", "untrusted"], message: str, command: str
) -> ServerDiagnosis:
    return ServerDiagnosis(state, message, None, None, (command,))


def _told(error: KosmoError) -> str:
    """Return what has failed, and what to do."""
    return f"{error.message}. {error.hint}" if error.hint else error.message


def _tools_of(integration: "Integration[Any]") -> ServerTools:
    entries = (
        FunctionEntry(each.full_name, each.access, each.summary)
        for each in integration.functions.values()
    )
    return ServerTools(integration.title, tuple(entries), None)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
