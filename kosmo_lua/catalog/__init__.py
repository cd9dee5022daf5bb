"""Which integrations and functions there are, and which one a name means."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from kosmo_lua.catalog.installed import Integrations, providers
from kosmo_lua.errors import UnknownAccount, UnknownFunction, UnknownIntegration
from kosmo_lua.suggestions import nearest
from kosmo_lua.values import MCP_PREFIX

if TYPE_CHECKING:  # importing it loads pydantic, which only an installed integration may do
    from kosmo_lua.catalog.servers import Servers
    from kosmo_lua.integration import Function, Integration

__all__ = ["Catalog", "Target", "providers"]


class Target(NamedTuple):
    """What a dotted name means."""

    integration: "Integration[Any]"
    function: "Function"
    account: str

    @property
    def name(self) -> str:
        """A name that means it: `segment.work.track_event`, `mcp.github.create_issue`."""
        if self.function.is_tool:
            return self.function.full_name
        return f"{self.integration.name}.{self.account}.{self.function.name}"


class Catalog:
    """The integrations and what their functions are called. A broken integration costs only itself."""

    def __init__(
        self,
        integrations: Iterable["Integration[Any]"] | Integrations = (),
        *,
        servers: "Callable[[], Servers] | None" = None,
    ) -> None:
        if not isinstance(integrations, Integrations):
            integrations = Integrations(integrations)
        self.integrations = integrations
        self._make_servers = servers

    @classmethod
    def installed(cls) -> "Catalog":
        """Return what installed packages offer, each integration loaded when it is asked for."""
        return cls(Integrations.installed())

    def with_servers(self, servers: "Callable[[], Servers]") -> "Catalog":
        """Return a catalog of the same integrations, and of MCP servers, made when they are asked for."""
        return Catalog(self.integrations, servers=servers)

    @cached_property
    def servers(self) -> "Servers | None":
        """The MCP servers. Most scripts use none, and to look which there are takes 10 ms."""
        return self._make_servers() if self._make_servers else None

    def cancel(self) -> None:
        """Let MCP servers that work on a call hear that nobody waits for it any more."""
        if "servers" in self.__dict__ and self.servers:
            self.servers.cancel()

    def close(self) -> None:
        """End the connections of MCP servers."""
        if "servers" in self.__dict__ and self.servers:
            self.servers.close()

    def only(self, names: Iterable[str]) -> "Catalog":
        """Return the catalog of these integrations alone.

        Raises:
            UnknownIntegration: there is none of a name; names the nearest ones.
        """
        return Catalog(self.integrations.only([self._known(name) for name in names]))

    def _known(self, name: str) -> str:
        return name if name in self.names else self.integration(name).name

    @property
    def names(self) -> list[str]:
        """The names of the integrations, also of those that cannot be loaded; loads none."""
        return self.integrations.names

    @property
    def problems(self) -> list[str]:
        """Why integrations are absent; loads all."""
        of_each = [problem for name in self.names for problem in self.problems_of(name)]
        return [*self.integrations.unreadable, *of_each]

    def problems_of(self, name: str) -> list[str]:
        """Return why the integration of this name is absent, or another one of the same name; loads it."""
        self.integrations.get(name)
        return self.integrations.problems.get(name, [])

    @property
    def known(self) -> "list[Integration[Any]]":
        """The integrations, and the MCP servers whose tools are known: none is contacted."""
        found = [self.servers.known(name) for name in self.servers.names] if self.servers else []
        return [*self.integrations.values(), *filter(None, found)]

    def integration(self, name: str) -> "Integration[Any]":
        """Return an integration, or an MCP server: `segment`, `mcp.github`.

        Raises:
            UnknownIntegration: names the nearest ones.
            KosmoError: the server may not be contacted, or cannot be.
        """
        if name.startswith(MCP_PREFIX):
            return self._servers.integration(name.removeprefix(MCP_PREFIX))
        if name in self.integrations:
            return self.integrations[name]
        near = nearest(name, self.integrations, like=0.5)
        known = ", ".join(self.integrations) or "none"
        suggestion = f"Did you mean: {', '.join(near)}?" if near else f"Installed: {known}."
        message = f"unknown integration {name}. {suggestion}"
        hint = "print(docs.list()) shows what there is."
        if not self.integrations:
            hint = "There are none here: kosmo integrations:lua has them, kosmo mcp:lua has not."
        raise UnknownIntegration(message, hint=hint)

    def resolve(self, name: str) -> Target:
        """Find the function that a name in any of its spellings means, and the account in it.

        `segment.track`, `segment.production.track`, `segment.segment_track`, `segment_track`,
        `integrations.segment.track_event` and `app.integrations.segment.track` are all names. Those of the
        tools of MCP servers are `mcp.github.create_issue` and `app.mcp.github.create_issue`.

        Raises:
            UnknownIntegration, UnknownFunction, UnknownAccount: name the nearest ones.
            KosmoError: an MCP server may not be contacted, or cannot be.
        """
        name = name.removeprefix("app.")
        if name.startswith(MCP_PREFIX):
            server, _, tool = name.removeprefix(MCP_PREFIX).partition(".")
            return self._resolve_tool(server, tool)
        parts = name.removeprefix("integrations.").split(".")
        if len(parts) == 1:
            parts = self._split_slug(parts[0])
        integration = self.integration(parts[0])
        function = self._function(integration, parts[-1] if len(parts) > 1 else "")
        if len(parts) > 3:  # noqa: PLR2004  # integration.account.function
            message = f"unknown account {'.'.join(parts[1:-1])} of {integration.name}"
            raise UnknownAccount(
                message, hint=f"Write {integration.name}.ACCOUNT.{function.name}."
            )
        return Target(integration, function, parts[1] if len(parts) > 2 else "default")  # noqa: PLR2004  # the same

    def _resolve_tool(self, server: str, tool: str) -> Target:
        if "/" in tool:
            with suppress(UnknownFunction):
                return Target(*self._servers.method(server, tool), "default")
        integration = self._servers.integration(server)
        return Target(integration, self._function(integration, tool), "default")

    @property
    def _servers(self) -> "Servers":
        if self.servers is None:
            raise UnknownIntegration("there are no MCP servers here")
        return self.servers

    def _split_slug(self, name: str) -> list[str]:
        for integration in self.names:
            if name.startswith(f"{integration}_"):
                return [integration, name]
        return [name]

    def _function(self, integration: "Integration[Any]", name: str) -> "Function":
        for function in integration.functions.values():
            if name in function.spellings:
                return function
        near = ", ".join(_near(name, integration.functions.values()))
        root = "app" if integration.name.startswith(MCP_PREFIX) else "app.integrations"
        message = f"unknown function {root}.{integration.name}.{name}."
        if not name:
            what = (
                "an MCP server, not a tool" if root == "app" else "an integration, not a function"
            )
            message = f"{integration.name} is {what}."
        hint = f'print(docs.read("{integration.name}")) lists its functions.'
        raise UnknownFunction(f"{message} Did you mean: {near}?" if near else message, hint=hint)


def _near(name: str, functions: Iterable["Function"]) -> list[str]:
    """Return the spellings like `name`, the best first, each followed by its function's own name."""
    from difflib import SequenceMatcher  # noqa: PLC0415  # 2 ms, only for a mistake

    rated = [
        (SequenceMatcher(None, name, spelling).ratio(), spelling, function.name)
        for function in functions
        for spelling in (function.name, *function.aliases)
    ]
    best = [names for ratio, *names in sorted(rated, reverse=True) if ratio >= 0.6][:2]  # noqa: PLR2004  # difflib's own
    return list(dict.fromkeys(name for names in best for name in names))[:3]
