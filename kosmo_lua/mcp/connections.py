"""Connections: the servers that a run talks to, for callers that know nothing of the SDK and its event loop.

    loop.py       the event loop, on a thread of its own
    session.py    one connection of the SDK, from its handshake to its end
    stdio.py      the transport to a program (program.py), http.py that to an address
    requests.py   what is asked, content.py what comes back, failures.py what goes wrong

The SDK takes 0.6 s to import: it and all of these are imported when the first server is contacted.
"""

import copy
import importlib.util
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from kosmo_lua.errors import ExtraMissing, Interrupted, KosmoError
from kosmo_lua.mcp.server import Endpoint
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:
    import asyncio

    from kosmo_lua.mcp.loop import Event, Loop
    from kosmo_lua.mcp.session import Progress, Session

Value = TypeVar("Value")
OnProgress = Callable[[float, float | None, str | None], None]

CLOSING = 4.0
"""Seconds that the ends of all servers take at most: those that refuse to end are killed within three."""


class Connections:
    """The sessions of one run with its servers, in one event loop on a thread of its own.

    `tell` is told of the process group of each server that is a program: `(group, True)` right after it was
    started and before anything else happens, `(group, False)` once it has ended; on the loop's thread. All
    methods may be called from any thread.
    """

    def __init__(self, tell: Callable[[int, bool], None]) -> None:
        self._tell = tell
        self._lock = Lock()
        self._connections: dict[str, Connection] = {}
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
        if loop:
            loop.close(self._end, CLOSING)

    async def _end(self) -> None:
        import asyncio  # noqa: PLC0415  # in the loop it is there

        for connection in self._connections.values():
            connection.stop()
        if self._owners:
            await asyncio.wait(set(self._owners), timeout=CLOSING)

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
        from kosmo_lua.mcp.session import Session  # noqa: PLC0415  # the SDK: 0.6 s

        return Session(endpoint, self._tell, self._owners)


class Connection:
    """The session with one server: made when it is first used, and made anew after the server has ended.

    Several threads may use it at once; their requests overlap. Every method raises a KosmoError whose
    `effect` says whether the server may have acted: `none`, it was never asked; `sent`, it has answered;
    `unknown`, there was no answer.
    """

    instructions: str | None = None
    """What the server says about its use, once it is connected."""
    title: str | None = None
    """What it calls itself, once it is connected."""

    def __init__(
        self, connections: Connections, endpoint: Callable[[], Endpoint], alias: str
    ) -> None:
        self._connections = connections
        self._endpoint = endpoint
        self._alias = alias
        self._lock = Lock()
        self._session: Session | None = None
        self._attempt: Future[Session] | None = None
        self._under_way = set[Future[Any]]()

    def tools(self) -> list[JsonObject]:
        """Return all tools, each as the protocol has it: `{name, description, inputSchema, ...}`.

        Source: https://modelcontextprotocol.io/specification/2025-11-25/server/tools
        """
        return self._ask(lambda session, _: _requests().list_tools(session))

    def call_tool(
        self,
        name: str,
        arguments: JsonObject,
        on_sent: Callable[[], None],
        on_progress: OnProgress | None = None,
    ) -> Json:
        """Call a tool; return its structured content, else its text (decoded if it is JSON), else its blocks.

        `on_sent` is called right before the request may leave, `on_progress` with what is done, of how much,
        and a message; both on the thread of the caller. Progress lets the time-out begin anew, up to ten
        times its length.
        """
        result: Json = self._ask(
            lambda session, tell: _requests().call_tool(session, name, arguments, tell),
            on_sent=on_sent,
            on_progress=on_progress,
            arguments=True,
        )
        return result

    def resources(self) -> list[JsonObject]:
        """Return all resources, and all templates: these have `uriTemplate` instead of `uri`.

        Source: https://modelcontextprotocol.io/specification/2025-11-25/server/resources
        """
        return self._ask(lambda session, _: _requests().list_resources(session))

    def read_resource(self, uri: str) -> list[JsonObject]:
        """Return the contents of a resource: `{uri, mime_type, text}`, or with `data` in Base64."""
        return self._ask(
            lambda session, _: _requests().read_resource(session, uri), arguments=True
        )

    def prompts(self) -> list[JsonObject]:
        """Return all prompts: `{name, description, arguments = {{name, description, required}}}`.

        Source: https://modelcontextprotocol.io/specification/2025-11-25/server/prompts
        """
        return self._ask(lambda session, _: _requests().list_prompts(session))

    def get_prompt(self, name: str, arguments: dict[str, str]) -> JsonObject:
        """Return a prompt: `{description, messages = {{role, content}}}`."""
        return self._ask(
            lambda session, _: _requests().get_prompt(session, name, arguments), arguments=True
        )

    def cancel_all(self) -> None:
        """Cancel the requests under way: the server is told, and their callers get Interrupted."""
        for future in list(self._under_way):
            future.cancel()

    def stop(self) -> None:
        """Let the session end; on the thread of the loop."""
        if self._session:
            self._session.stop()

    def _ask(
        self,
        send: "Callable[[Session, Progress], Awaitable[Value]]",
        *,
        on_sent: Callable[[], None] | None = None,
        on_progress: OnProgress | None = None,
        arguments: bool = False,
    ) -> Value:
        """Return the answer to a request; what a server has not looked at is sent over a new session."""
        session = self._live()
        from kosmo_lua.mcp.http import SessionLost  # noqa: PLC0415  # the SDK, which is there by now

        if on_sent:
            on_sent()
        events = SimpleQueue["Event | None"]()

        def progress(done: float, total: float | None, message: str | None) -> None:
            events.put((done, total, message))

        def work(session: "Session") -> Callable[[], Coroutine[Any, Any, Value]]:
            return lambda: session.ask(send, progress, arguments=arguments)

        try:
            return self._wait(work(session), events, on_progress)
        except SessionLost:
            return self._wait(work(self._live()), events, on_progress)

    def _wait(
        self,
        work: Callable[[], Coroutine[Any, Any, Value]],
        events: "SimpleQueue[Event | None] | None" = None,
        on_progress: OnProgress | None = None,
    ) -> Value:
        from kosmo_lua.mcp.loop import outcome_of  # noqa: PLC0415  # asyncio, which is there by now

        future = self._connections.loop().submit(work)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return outcome_of(future, events, on_progress)

    def _live(self) -> "Session":
        """Return a session that lives; of several threads that need one at once, one connects."""
        with self._lock:
            if self._session and not self._session.lost:
                return self._session
            attempt = self._attempt
            if attempt is None:
                mine = self._attempt = Future()
        if attempt is None:
            return self._connect(mine)
        try:
            return attempt.result()
        except Interrupted:
            raise Interrupted from None
        except KosmoError as error:
            raise copy.copy(error) from None  # the call path writes the caller into its own

    def _connect(self, attempt: "Future[Session]") -> "Session":
        try:
            _require(self._alias)
            session = self._connections.session(self._endpoint())
            self._session = session
            self._wait(session.open)
            info = session.client.server_info
            self.title = (info.title or info.name) if info else None
            self.instructions = session.client.instructions
        except BaseException as error:
            with self._lock:
                self._attempt = None
            attempt.set_exception(error if isinstance(error, KosmoError) else Interrupted())
            raise
        with self._lock:
            self._attempt = None
        attempt.set_result(session)
        return session


def _require(alias: str) -> None:
    if importlib.util.find_spec("mcp") is None:
        message = f"the MCP server {alias} needs the package mcp, which is not installed"
        raise ExtraMissing(message, hint='pip install "kosmo-lua[mcp]"')


def _requests() -> Any:  # noqa: ANN401  # a module
    from kosmo_lua.mcp import requests  # noqa: PLC0415  # the SDK, which is there by now

    return requests
