"""What a server's errors become: a KosmoError that says what failed, on which server, and what it did."""

import signal
from typing import TYPE_CHECKING

import mcp_types as types
from pydantic import ValidationError

from kosmo_lua.errors import (
    Effect,
    InvalidArguments,
    KosmoError,
    ServiceError,
    TimedOut,
    Unreachable,
)
from kosmo_lua.http.masking import conceal, masked
from kosmo_lua.mcp import content
from kosmo_lua.mcp.program import readable, without_controls
from kosmo_lua.mcp.server import Endpoint

if TYPE_CHECKING:
    from mcp import MCPError

    from kosmo_lua.mcp.stdio import StdioTransport
    from kosmo_lua.values import JsonObject

_LONGEST = 1000
"""Characters that an error quotes of what a server says; `details` have all."""

_STREAM_ENDED = "SSE stream"
"""How the SDK begins when an answer over HTTP has broken off."""


class Failures:
    """The errors of one server."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._title = f"the MCP server {endpoint.name}"

    def hidden(self, error: KosmoError) -> KosmoError:
        """Return the error without the server's secrets."""
        secrets = self._endpoint.secrets
        error.message = conceal(error.message, secrets)
        error.hint = conceal(error.hint, secrets) if error.hint else None
        if error.details:
            error.details = {key: masked(part, secrets) for key, part in error.details.items()}
        return error

    def refused(self, result: types.CallToolResult) -> ServiceError:
        """Return what it becomes that a tool says it has failed."""
        details: JsonObject = {"structured_content": result.structured_content}
        if result.structured_content is None:
            details = {"content": content.blocks_of(result.content)}
        words = _one_line(content.words_of(result)) or "it did not say why"
        message = f"{self._title} answered with an error: {words}"
        return ServiceError(message, effect="sent", details=details)

    def of_protocol(self, error: "MCPError", *, arguments: bool) -> KosmoError:
        """Return what an error of the protocol becomes. `arguments`: the request had some of the caller's."""
        words = _one_line(error.message)
        if error.code == types.CONNECTION_CLOSED and error.message.startswith(_STREAM_ENDED):
            return self.cut(words)
        details: JsonObject = {"code": error.code, "data": error.data}
        message = f"{self._title} refused the request: {words} ({error.code})"
        if error.code == types.INVALID_PARAMS and arguments:
            return InvalidArguments(
                message,
                effect="sent",
                details={**details, "problems": [words]},
                hint="Look at what the server lists: the name, or what it takes, may have changed.",
            )
        return ServiceError(message, effect="sent", details=details)

    def against_protocol(self, error: Exception) -> ServiceError:
        """Return what an answer becomes that the protocol does not allow."""
        reason = str(error)
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False, include_input=False)[0]
            reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        message = f"{self._title} answered against the protocol: {_one_line(reason)}"
        return ServiceError(message, effect="sent")

    def cut(self, reason: str) -> Unreachable:
        """Return what a call becomes whose connection has ended."""
        message = f"{self._title} cut the connection before it answered: {reason}"
        return Unreachable(message, effect="unknown", retryable=True)

    def timed_out(
        self, seconds: float, transport: "StdioTransport | None", effect: Effect
    ) -> TimedOut:
        """Return what a request without an answer becomes."""
        message = f"{self._title} did not answer within {seconds:g} s{_last_words(transport)}"
        hint = "Raise `timeout` of the server, in seconds, if it may take longer."
        return TimedOut(message, effect=effect, retryable=True, hint=hint)

    async def died(self, transport: "StdioTransport", when: str, effect: Effect) -> Unreachable:
        """Return what it becomes that the program of a server has ended."""
        program = transport.program
        assert program
        await program.has_ended(0.5)
        await program.words()
        message = f"{self._title} {_end(program.status)} {when}{_last_words(transport)}"
        hint = "Run its command by hand to see more." if effect == "none" else None
        return Unreachable(message, effect=effect, retryable=effect == "unknown", hint=hint)

    def unexpected(self, error: BaseException, effect: Effect) -> Unreachable:
        """Return what an error of the SDK becomes that nobody has foreseen."""
        words = _one_line(str(error)) or type(error).__name__
        return Unreachable(f"{self._title} failed: {words}", effect=effect)


def _end(status: int | None) -> str:
    if status is None:
        return "hung up"
    if status < 0:
        try:
            return f"was ended by {signal.Signals(-status).name}"
        except ValueError:
            return f"was ended by signal {-status}"
    return f"ended with exit status {status}"


def _last_words(transport: "StdioTransport | None") -> str:
    """Say what a program has written where it can only be read in an error."""
    if not transport or not transport.program:
        return ""
    words = readable(bytes(transport.program.tail))
    parts = [f"; it said: {words}"] if words else []
    if transport.garbage:
        parts.append(f"; it wrote something else than JSON-RPC to stdout: {transport.garbage}")
    return "".join(parts)


def _one_line(text: str) -> str:
    """Return a server's words on one line, without what would steer a terminal: scripts print errors."""
    line = without_controls(text[: 10 * _LONGEST])
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "..."
