"""Contact: what one run has with one server."""

from threading import Lock
from typing import TYPE_CHECKING

from kosmo_lua.mcp.listing import Listing, Listings
from kosmo_lua.mcp.server import Endpoint, Server
from kosmo_lua.mcp.servers import Servers
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # threads, only once a server is contacted
    from kosmo_lua.config.command import Tell
    from kosmo_lua.mcp.connections import Connection, Connections


class Contact:
    """The session with one server: its connection, and its tools as it has listed them in this run."""

    def __init__(
        self,
        connections: "Connections",
        server: Server,
        servers: Servers,
        listings: Listings,
        tell: "Tell",
    ) -> None:
        self._endpoint: Endpoint | None = None
        self._server = server
        self._servers = servers
        self._listings = listings
        self._tell = tell
        self._lock = Lock()
        self._tools: dict[str, JsonObject] | None = None
        self.connection: Connection = connections.to(self._look_up, server.alias)

    def _look_up(self) -> Endpoint:
        self._endpoint = self._servers.endpoint(self._server, self._tell)
        return self._endpoint

    def secrets(self) -> list[str]:
        """Return the server's secrets, the longest first; none was looked up before it was contacted."""
        return [*self._endpoint.secrets] if self._endpoint else []

    def listing(self) -> Listing:
        """Ask the server for its tools, and keep what it says."""
        tools = self.connection.tools()
        facts = (self.connection.title, self.connection.instructions)
        listing = Listing.of(*facts, tools)
        self._tools = {str(tool["name"]): tool for tool in listing.tools}
        self._listings.keep(self._server, listing)
        return listing

    def current(self, name: str) -> JsonObject | None:
        """Return a tool as the server has listed it in this run."""
        with self._lock:
            if self._tools is None:
                self.listing()
        assert self._tools is not None, "it was listed just now"
        return self._tools.get(name)
