"""ServerCatalog: the MCP servers of a configuration as integrations, for the calls of one run."""

from collections.abc import Collection, Mapping
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Self

from kosmo_lua.config import Config
from kosmo_lua.errors import Denied, KosmoError, UnknownFunction
from kosmo_lua.mcp.contact import Contact
from kosmo_lua.mcp.listing import Listing, Listings
from kosmo_lua.mcp.server import Server
from kosmo_lua.mcp.servers import Servers
from kosmo_lua.mcp.trust import Trust
from kosmo_lua.values import MCP_PREFIX, JsonObject

if TYPE_CHECKING:  # pydantic and httpx, for a server that is used; threads, for a contact
    from kosmo_lua.config.command import Tell
    from kosmo_lua.integration import Function, Integration
    from kosmo_lua.mcp.api import ServerApi
    from kosmo_lua.mcp.connections import Connections


EMULATED = "MCP servers are not called with --emulator: they are real"
_INSTEAD = "Replay a recording with --replay FILE, or leave --emulator out and give --dry-run."


class ServerCatalog:
    """The servers that a run may reach. None is started or contacted before it is trusted and needed.

    Arguments:
        servers: which there are.
        trust: who may be contacted.
        listings: what is known of them.
        tell: told of each process that runs.
        keep: keep connections for what follows; without it each ends when its tools are listed.
        closed: why none of them can be reached, if that is so.
    """

    def __init__(
        self,
        servers: Servers,
        trust: Trust,
        listings: Listings,
        tell: "Tell",
        *,
        keep: bool = True,
        closed: str | None = None,
    ) -> None:
        self.servers = servers
        self.trust = trust
        self._listings = listings
        self._tell = tell
        self._keep = keep
        self._closed = closed
        self._lock = Lock()
        self._integrations: dict[str, Integration[ServerApi]] = {}
        self._contacts: dict[str, Contact] = {}
        self._connections: Connections | None = None

    @classmethod
    def of(
        cls,
        config: Config,
        environ: Mapping[str, str],
        *,
        forced: bool,
        emulated: bool,
        tell: "Tell",
        keep: bool,
        only: Collection[str] | None = None,
    ) -> Self:
        """Return the servers of a configuration."""
        return cls(
            Servers(config, environ, only=only),
            Trust(config, environ, forced=forced),
            Listings(config),
            tell,
            keep=keep,
            closed=EMULATED if emulated else None,
        )

    @property
    def names(self) -> list[str]:
        """The Lua names of the servers that are enabled; none is contacted."""
        return [alias for alias, server in self.servers.all.items() if server.enabled]

    @property
    def problems(self) -> list[str]:
        """What is wrong with the files that define them."""
        return self.servers.problems

    def states(self) -> list[JsonObject]:
        """Return what is known of each server, also of those that are disabled."""
        return [self._state(server) for server in self.servers.all.values()]

    def _state(self, server: Server) -> JsonObject:
        listing = self._listings.load(server)
        return {
            "name": server.alias,
            "server": server.name,
            "type": server.kind,
            "enabled": server.enabled,
            "trust": self.trust.state(server),
            "tools": len(listing.tools) if listing else None,
            "source": server.source,
        }

    def integration(self, name: str) -> "Integration[ServerApi]":
        """Return a server with its tools; one that nobody has listed before is contacted.

        Raises:
            UnknownIntegration, Untrusted, Denied, ConfigError: it cannot be used.
            KosmoError: it cannot be reached.
        """
        server = self.trusted(name)
        if server.alias not in self._integrations:
            self._add(server, self._listings.load(server) or self._asked(server))
        return self._integrations[server.alias]

    def known(self, name: str) -> "Integration[ServerApi] | None":
        """Return a server that is known without contacting it; None: it is not, or it may not be used."""
        try:
            server = self.trusted(name)
        except KosmoError:
            return None
        if server.alias not in self._integrations and (listing := self._listings.load(server)):
            self._add(server, listing)
        return self._integrations.get(server.alias)

    def renewed(self, name: str) -> "Integration[ServerApi]":
        """Return a server with its tools as it lists them now.

        Raises:
            KosmoError: as `integration`.
        """
        server = self.trusted(name)
        self._add(server, self._asked(server))
        return self._integrations[server.alias]

    def method(self, name: str, method: str) -> "tuple[Integration[ServerApi], Function]":
        """Return a server and a request of the protocol, such as `resources/read`, as a function.

        Raises:
            KosmoError: as `integration`; UnknownFunction: there is no such request.
        """
        from kosmo_lua.mcp.methods import method_of  # noqa: PLC0415  # as above
        from kosmo_lua.mcp.tools import integration_of  # noqa: PLC0415  # as above

        server = self.trusted(name)
        function = method_of(f"{MCP_PREFIX}{server.alias}", method)
        if function is None:
            raise UnknownFunction(f"there is no {method} of the MCP server {server.name}")
        nothing = Listing(None, None, ())
        return integration_of(server.alias, nothing, partial(self._api, server)), function

    def trusted(self, name: str) -> Server:
        """Return a server that may be contacted.

        Raises:
            UnknownIntegration, Untrusted, Denied, ConfigError: it may not.
        """
        server = self.servers.get(name)
        if self._closed:
            raise Denied(self._closed, hint=_INSTEAD)
        self.trust.check(server)
        return server

    def cancel(self) -> None:
        """Cancel every request that is under way."""
        for contact in [*self._contacts.values()]:
            contact.connection.cancel_all()

    def close(self) -> None:
        """End every contact."""
        with self._lock:
            connections, self._connections = self._connections, None
            self._contacts.clear()
        if connections:
            connections.close()

    def _asked(self, server: Server) -> Listing:
        """Ask a server for its tools."""
        if self._keep:
            return self._contact(server).listing()
        connections = self._connected()  # not shared: others may be asking at the same time
        try:
            return self._made(connections, server).listing()
        finally:
            connections.close()

    def _add(self, server: Server, listing: Listing) -> None:
        from kosmo_lua.mcp.tools import integration_of  # noqa: PLC0415  # as above

        made = integration_of(server.alias, listing, partial(self._api, server))
        self._integrations[server.alias] = made

    def _api(self, server: Server, _: object) -> "ServerApi":
        from kosmo_lua.mcp.api import ServerApi  # noqa: PLC0415  # as above

        contact = self._contact(server)
        return ServerApi(f"{MCP_PREFIX}{server.alias}", contact)

    def _contact(self, server: Server) -> Contact:
        with self._lock:
            self._connections = self._connections or self._connected()
            if server.alias not in self._contacts:
                self._contacts[server.alias] = self._made(self._connections, server)
            return self._contacts[server.alias]

    def _connected(self) -> "Connections":
        from kosmo_lua.mcp.connections import Connections  # noqa: PLC0415  # threads, as above

        return Connections(self._tell)

    def _made(self, connections: "Connections", server: Server) -> Contact:
        return Contact(connections, server, self.servers, self._listings, self._tell)
