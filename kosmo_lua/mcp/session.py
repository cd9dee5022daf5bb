"""Session: one connection of the SDK's client, from its handshake to its end, in the loop of its run."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal, TypeVar

import anyio
import mcp_types as types
from mcp import Client, MCPError
from pydantic import ValidationError

from kosmo_lua import __version__
from kosmo_lua.config.command import Tell
from kosmo_lua.errors import Effect, KosmoError
from kosmo_lua.mcp.failures import Failures
from kosmo_lua.mcp.http import Gate, SessionLost, streamable_http
from kosmo_lua.mcp.program import Program
from kosmo_lua.mcp.server import Endpoint
from kosmo_lua.mcp.stdio import StdioTransport

if TYPE_CHECKING:
    from mcp.client._transport import Transport

Value = TypeVar("Value")
Progress = Callable[[float, float | None, str | None], None]

LONGEST_TIMES = 10
"""How many times its timeout a request may take at most, however much progress its server reports."""

_CLOSED = (types.CONNECTION_CLOSED, "Connection closed")
"""What the SDK raises for every request whose session ends."""

# What the SDK logs is in the error that is raised; without a handler, logging prints it on stderr.
for _name in ("mcp", "client", "httpx2", "httpcore2", "opentelemetry"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


class Session:
    """One connection to a server. `lost`: it is not yet open, or has ended, and a new one is needed."""

    client: Client

    def __init__(
        self,
        endpoint: Endpoint,
        tell: Tell,
        owners: "set[asyncio.Task[None]]",
        program: Program | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._tell = tell
        self._owners = owners
        self._program = program
        self._failures = Failures(endpoint)
        self._stop = asyncio.Event()
        self._stdio: StdioTransport | None = None
        self._gate: Gate | None = None
        self.lost = True

    async def open(self) -> None:
        """Connect: the newest version of the protocol that both speak.

        Servers that end themselves when they are asked for what they do not know are started once more, and
        greeted as of old.
        Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle

        Raises:
            KosmoError: it cannot be started or reached, or did not answer; always without an effect.
        """
        error = await self._attempt("auto")
        if error and self._stdio and self._stdio.has_died:
            error = await self._attempt("legacy")
        if error:
            self.lost = True
            error.effect = "none"
            raise self._failures.hidden(error)

    def stop(self) -> None:
        """Let it end; the task that owns it ends when it has."""
        self.lost = True
        self._stop.set()

    async def _attempt(self, mode: Literal["auto", "legacy"]) -> KosmoError | None:
        self._stop = asyncio.Event()
        ready = asyncio.get_running_loop().create_future()
        try:
            transport = self._transport()
        except KosmoError as impossible:
            return impossible
        owner = asyncio.create_task(self._own(transport, mode, ready))
        self._owners.add(owner)
        owner.add_done_callback(self._left)
        seconds = self._endpoint.timeout
        try:
            done, _ = await asyncio.wait([ready], timeout=seconds)
        except asyncio.CancelledError:
            owner.cancel()
            raise
        if not done:
            error = self._failures.timed_out(seconds, self._stdio, "none")
            owner.cancel()
            return error
        cause = ready.result()
        return await self._not_connected(cause) if cause else None

    def _left(self, owner: "asyncio.Task[None]") -> None:
        self._owners.discard(owner)
        self.abandon()  # where it was cancelled before it began

    def abandon(self) -> None:
        """End a program to which nobody has spoken."""
        if self._program:
            self._program.kill()
            self._tell(self._program.group, False)
        self._program = None
        if self._stdio:
            self._stdio.abandon()

    def _transport(self) -> "Transport":
        if self._endpoint.command:
            self._stdio = StdioTransport(self._endpoint, self._tell, self.stop, self._program)
            self._program = None
            return self._stdio
        self._gate = Gate(self._endpoint)
        return streamable_http(self._endpoint, self._gate)

    async def _own(
        self,
        transport: "Transport",
        mode: Literal["auto", "legacy"],
        ready: "asyncio.Future[BaseException | None]",
    ) -> None:
        """Enter and leave the client in one task, as its scopes want; never fail."""
        me = types.Implementation(name="kosmo", version=__version__)
        try:
            async with Client(transport, mode=mode, cache=None, client_info=me) as client:
                self.client = client
                self.lost = False
                if not ready.done():
                    ready.set_result(None)
                await self._stop.wait()
        except BaseException as error:  # noqa: BLE001  # it is told to those who wait
            if not ready.done():
                ready.set_result(_first(error))
        finally:
            self.stop()

    async def _not_connected(self, error: BaseException) -> KosmoError:
        if isinstance(error, KosmoError):
            return error
        if self._stdio and self._stdio.has_died:
            return await self._failures.died(self._stdio, "before it could be asked", "none")
        if isinstance(error, MCPError):
            return self._true_error(error, arguments=False)
        if isinstance(error, ValidationError | RuntimeError):
            return self._failures.against_protocol(error)
        return self._failures.unexpected(error, "none")

    def _true_error(self, error: MCPError, *, arguments: bool) -> KosmoError:
        kept = self._gate.true_error(error.error) if self._gate else None
        return kept or self._failures.of_protocol(error, arguments=arguments)

    async def ask(
        self,
        send: "Callable[[Session, Progress], Awaitable[Value]]",
        progress: Progress | None = None,
        *,
        arguments: bool = False,
    ) -> Value:
        """Return the answer to a request.

        Raises:
            SessionLost: it was not sent, for the session has ended.
            KosmoError: the answer was an error, or there was none in time.
        """
        if self.lost:
            raise SessionLost(f"the MCP server {self._endpoint.name} has ended", retryable=True)
        try:
            return await self._in_time(send, progress, arguments=arguments)
        except SessionLost:
            self.stop()
            raise
        except KosmoError as error:
            raise self._failures.hidden(error) from None

    async def _in_time(
        self,
        send: "Callable[[Session, Progress], Awaitable[Value]]",
        progress: Progress | None,
        *,
        arguments: bool,
    ) -> Value:
        seconds = self._endpoint.timeout
        begin, waited = anyio.current_time(), seconds
        with anyio.CancelScope(deadline=begin + seconds) as scope:

            def on_progress(done: float, total: float | None, message: str | None) -> None:
                nonlocal waited
                latest = begin + seconds * LONGEST_TIMES
                scope.deadline = min(anyio.current_time() + seconds, latest)
                waited = scope.deadline - begin
                if progress:
                    progress(done, total, message)

            try:
                return await send(self, on_progress)
            except KosmoError:
                raise
            except Exception as error:  # noqa: BLE001  # the boundary of the SDK
                raise await self._failed(error, arguments=arguments) from None
        raise self._failures.timed_out(round(waited, 1), self._stdio, "unknown")

    async def _failed(self, error: Exception, *, arguments: bool) -> KosmoError:
        """Return what an error of the SDK becomes that ended a request."""
        effect: Effect = "unknown"
        if isinstance(error, ValidationError):
            return self._failures.against_protocol(error)
        closed = isinstance(error, anyio.BrokenResourceError | anyio.ClosedResourceError)
        if isinstance(error, MCPError):
            closed = (error.code, error.message) == _CLOSED
        if closed and self._stdio:
            return await self._failures.died(self._stdio, "before it answered", effect)
        if closed:
            return self._failures.cut("the session has ended")
        if isinstance(error, MCPError):
            return self._true_error(error, arguments=arguments)
        return self._failures.unexpected(error, effect)

    def refused(self, result: types.CallToolResult) -> KosmoError:
        """Return what it becomes that a tool says it has failed."""
        return self._failures.refused(result)

    def asked_back(self) -> KosmoError:
        """Return what it becomes that a server wants to ask the user something before it answers."""
        message = "it asked for input of the user, which kosmo cannot give"
        return self._failures.against_protocol(RuntimeError(message))


def _first(error: BaseException) -> BaseException:
    """Return the error that others of its group followed."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
