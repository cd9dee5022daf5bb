"""Stdio: messages to and from a program, as the SDK's client wants a transport.

The SDK's own tells nobody the process group, loses what the server says on stderr, and reports garbage
through logging. This one reads a line of any length in one go, and keeps what is no message for the errors.
Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio
"""

import asyncio
import json
import re
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import anyio
import mcp_types as types
from mcp.shared.message import SessionMessage

from kosmo_lua.config.command import Tell
from kosmo_lua.mcp.program import Program, readable, start
from kosmo_lua.mcp.server import Endpoint

_EXIT_POLL = 0.2
_ID = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2.0"\s*,\s*)?"id"\s*:\s*(\d{1,18})\s*,')
_ID_AT_END = re.compile(rb',\s*"id"\s*:\s*(\d{1,18})\s*(?:,\s*"jsonrpc"\s*:\s*"2.0"\s*)?\}\s*$')
"""Which request it answers, of a line that no parser takes."""


class StdioTransport:
    """Starts the program of a server when it is entered, and ends its process group when it is left.

    `started`: it runs already, because the SDK takes as long to import as it does to start.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        tell: Tell,
        on_end: Callable[[], None],
        started: Program | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._tell = tell
        self._started = started
        self._on_end = on_end
        self.has_died = False
        """Whether the program has ended, or hung up, by itself."""
        self.program: Program | None = None
        self.garbage: str | None = None
        """The last line on stdout that was no message, and readable."""

    async def __aenter__(self) -> "tuple[_Incoming, _Outgoing]":
        self.program = program = self._started or start(self._endpoint, self._tell)
        self._started = None
        try:
            await program.connect()
        except BaseException:
            await self._end(program)
            raise
        self._watch = asyncio.create_task(_watch(program))
        return _Incoming(program, self), _Outgoing(program, self)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self.program
        self._watch.cancel()
        await self._end(self.program)

    def abandon(self) -> None:
        """End the program, if this was never entered."""
        if self._started:
            self._started.kill()
            self._tell(self._started.group, False)
        self._started = None

    def broken(self) -> None:
        """Nothing comes, or goes, any more: there is nobody to talk to."""
        self.has_died = True
        self._on_end()

    async def _end(self, program: Program) -> None:
        # Whoever cancels this waits for it all the same: a server left behind would stay for ever.
        with anyio.CancelScope(shield=True):
            ending = asyncio.create_task(program.end())
            try:
                while not ending.done():
                    with suppress(asyncio.CancelledError):
                        await asyncio.shield(ending)
            finally:
                self._tell(program.group, False)


async def _watch(program: Program) -> None:
    """End the stream of messages soon after the program, even where another process holds its stdout."""
    while program.status is None:  # noqa: ASYNC110  # no event tells it on every system
        await asyncio.sleep(_EXIT_POLL)
    await asyncio.sleep(_EXIT_POLL)
    program.hang_up()


class _Stream:
    """What both directions share; the transport itself closes the pipes."""

    def __init__(self, program: Program, transport: StdioTransport) -> None:
        self._program = program
        self._transport = transport

    async def aclose(self) -> None:
        """Do nothing yet."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        return None


class _Incoming(_Stream):
    """The messages of the server."""

    def __aiter__(self) -> Self:
        return self

    async def receive(self) -> SessionMessage | Exception:
        """Return the next message."""
        try:
            return await anext(self)
        except StopAsyncIteration:
            raise anyio.EndOfStream from None

    async def __anext__(self) -> SessionMessage | Exception:
        while True:
            try:
                line = await self._program.stdout.readline()
            except ValueError:  # what waits for it must not wait in vain
                self._transport.garbage = "(a line of more than 64 MiB)"
                line = b""
            except OSError:
                line = b""
            if not line:
                self._transport.broken()
                raise StopAsyncIteration
            message = _parsed(line)
            if message:
                return SessionMessage(message)
            self._transport.garbage = readable(line, 100) or self._transport.garbage


def _parsed(line: bytes) -> types.JSONRPCMessage | None:
    try:
        return types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        return _answer_of_a_kind(line)


def _answer_of_a_kind(line: bytes) -> types.JSONRPCMessage | None:
    """Return an error for an answer that is none of JSON-RPC: else its call would wait for it in vain."""
    if b'"id"' not in line or not (b'"result"' in line or b'"error"' in line):
        return None
    try:
        answer: Any = json.loads(line)
    except (ValueError, RecursionError):  # no JSON, or too deep, or a number of 5,000 digits
        found = _ID.match(line) or _ID_AT_END.search(line[-100:])
        answer = {"id": int(found[1])} if found else None
    number = answer.get("id") if isinstance(answer, dict) and "method" not in answer else None
    if type(number) not in (int, str):
        return None
    error = types.ErrorData(code=types.PARSE_ERROR, message="an answer that is none of JSON-RPC")
    return types.JSONRPCError(jsonrpc="2.0", id=number, error=error)


class _Outgoing(_Stream):
    """The messages to the server."""

    async def send(self, item: SessionMessage, /) -> None:
        """Write a message; wait for room, but for a notification: that a call is cancelled cannot wait."""
        stdin = self._program.stdin
        message = item.message
        text = message.model_dump_json(by_alias=True, exclude_unset=True)
        if stdin.transport.is_closing():
            self._transport.broken()
            raise anyio.BrokenResourceError
        stdin.write(text.encode() + b"\n")
        if isinstance(message, types.JSONRPCNotification):
            return
        try:
            await stdin.drain()
        except OSError:
            self._transport.broken()
            raise anyio.BrokenResourceError from None
