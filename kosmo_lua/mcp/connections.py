"""Connections: the servers that a run talks to, for callers that know nothing of the SDK and its event loop.

    connection.py one server, as its callers see it
    loop.py       the event loop, on a thread of its own
    session.py    one connection of the SDK, from its handshake to its end
    stdio.py      the transport to a program (program.py), http.py that to an address
    requests.py   what is asked, content.py what comes back, failures.py what goes wrong

The SDK takes 0.6 s to import: it and all of these are imported when the first server is contacted.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING
from weakref import WeakSet

from kosmo_lua.errors import Interrupted, KosmoError
from kosmo_lua.mcp.connection import Connection
from kosmo_lua.mcp.server import Endpoint

if TYPE_CHECKING:
    import asyncio

    from kosmo_lua.config.command import Tell
    from kosmo_lua.mcp.loop import Loop
    from kosmo_lua.mcp.program import Program
    from kosmo_lua.mcp.session import Session

__all__ = ["Connection", "Connections"]

CLOSING = 4.0
"""Seconds that the ends of all servers take at most: those that refuse to end are killed within three."""


class Connections:
    """The sessions of one run with its servers, in one event loop on a thread of its own.

    `tell` is told of the process group of each server that is a program: `(group, True)` right after it was
    started and before anything else happens, `(group, False)` once it has ended; on the loop's thread. All
    methods may be called from any thread.
    """

    def __init__(self, tell: "Tell") -> None:
        self._tell = tell
        self._lock = RLock()  # a signal may end the run at any line of its main thread
        self._connections: dict[str, Connection] = {}
        self._sessions = WeakSet["Session"]()
        self._loop: Loop | None = None
        self._owners = set["asyncio.Task[None]"]()
        self._closed = False

    def to(self, endpoint: Callable[[], Endpoint], alias: str) -> "Connection":
        """Return the connection of a server; it connects, and calls `endpoint`, when it is first used."""
        with self._lock:
            if alias not in self._connections:
                self._connections[alias] = Connection(self, endpoint, alias)
            return self._connections[alias]

    def close(self) -> None:
        """Cut what is under way, and end all sessions and servers, at once; in about four seconds at most."""
        with self._lock:
            self._closed = True
            loop = self._loop
        for connection in list(self._connections.values()):
            connection.cancel_all()
        if loop:
            loop.close(self._end, CLOSING)

    async def _end(self) -> None:
        import asyncio  # noqa: PLC0415  # in the loop it is there

        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.stop()
        if self._owners:
            await asyncio.wait(set(self._owners), timeout=CLOSING)
        for session in sessions:
            session.abandon()

    def loop(self) -> "Loop":
        """Return the event loop; it begins with the first connection.

        Raises:
            Interrupted: the connections are closed.
        """
        from kosmo_lua.mcp.loop import Loop  # noqa: PLC0415  # asyncio, for those who need it

        with self._lock:
            if self._closed:
                raise Interrupted
            if not self._loop:
                self._loop = Loop()
            return self._loop

    def session(self, endpoint: Endpoint) -> "Session":
        """Return a session that is not yet open."""
        program = self._early(endpoint)
        try:
            from kosmo_lua.mcp.session import Session  # noqa: PLC0415  # the SDK: 0.6 s
        except BaseException:  # Ctrl-C, most likely
            if program:
                program.kill()
                self._tell(program.group, False)
            raise
        session = Session(endpoint, self._tell, self._owners, program)
        with self._lock:
            self._sessions.add(session)
        return session

    def _early(self, endpoint: Endpoint) -> "Program | None":
        """Start a program before the SDK is imported, which takes as long as many a server to start."""
        if not endpoint.command or "mcp" in sys.modules:
            return None
        from kosmo_lua.mcp.program import start  # noqa: PLC0415  # asyncio

        with suppress(KosmoError):  # the session says what is wrong
            return start(endpoint, self._tell)
        return None
