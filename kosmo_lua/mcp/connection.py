"""Connection: the session with one server, made when it is first used.

The SDK takes 0.6 s to import: it is imported when the server is contacted.
"""

import copy
import importlib.util
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from queue import SimpleQueue
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from kosmo_lua.errors import ExtraMissing, Interrupted, KosmoError
from kosmo_lua.mcp.server import Endpoint
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:
    from kosmo_lua.mcp.loop import Event, Loop
    from kosmo_lua.mcp.session import Progress, Session

Value = TypeVar("Value")
OnProgress = Callable[[float, float | None, str | None], None]


class Run(Protocol):
    """What a connection needs of the run that it belongs to."""

    def loop(self) -> "Loop":
        """Return the event loop."""

    def session(self, endpoint: Endpoint) -> "Session":
        """Return a session that is not yet open."""


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

    def __init__(self, run: Run, endpoint: Callable[[], Endpoint], alias: str) -> None:
        self._run = run
        self._endpoint = endpoint
        self._alias = alias
        self._lock = RLock()  # a signal may end the run at any line of its main thread
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
        if attempt := self._attempt:
            _settle(attempt, Interrupted())
        for future in list(self._under_way):
            future.cancel()

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

        future = self._run.loop().submit(work)
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
            endpoint = self._endpoint()
            self._run.loop()  # which tells whether the run has ended, before the SDK is imported
            session = self._run.session(endpoint)
            self._wait(session.open)
            info = session.client.server_info
            self.title = (info.title or info.name) if info else None
            self.instructions = session.client.instructions
        except BaseException as error:
            with self._lock:
                self._attempt = None
            _settle(attempt, error if isinstance(error, KosmoError) else Interrupted())
            raise
        with self._lock:
            self._attempt, self._session = None, session
        _settle(attempt, session)
        return session


def _settle(attempt: "Future[Session]", outcome: "Session | KosmoError") -> None:
    """Tell those who wait for a connection how it went, unless they have been told."""
    with suppress(InvalidStateError):
        if isinstance(outcome, KosmoError):
            attempt.set_exception(outcome)
        else:
            attempt.set_result(outcome)


def _require(alias: str) -> None:
    if importlib.util.find_spec("mcp") is None:
        message = f"the MCP server {alias} needs the package mcp, which is not installed"
        raise ExtraMissing(message, hint='pip install "kosmo-lua[mcp]"')


def _requests() -> Any:  # noqa: ANN401  # a module
    from kosmo_lua.mcp import requests  # noqa: PLC0415  # the SDK, which is there by now

    return requests
