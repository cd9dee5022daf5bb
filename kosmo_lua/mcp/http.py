"""Http: the transport of servers that are reached at an address: streamable HTTP, over the SDK's.

The SDK turns an answer that is no message into an error without its status, and one connection that cannot be
made ends the session with all its calls. So each exchange passes a gate here, which gives the SDK an error of
the protocol instead and keeps the true one, to be raised in its place.
Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
"""

import os
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx2
import mcp_types as types
from mcp.client.streamable_http import streamable_http_client

from kosmo_lua.errors import ConfigError, KosmoError, ServiceError, TimedOut, Unreachable
from kosmo_lua.http.answer import Answer
from kosmo_lua.http.connections import USER_AGENT, proxy_for, trust_of
from kosmo_lua.http.failures import CONNECT_SECONDS, refused, shorten, wait_of, words_of
from kosmo_lua.http.library import httpx
from kosmo_lua.mcp.program import without_controls
from kosmo_lua.mcp.server import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcp.client._transport import TransportStreams

LONGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer: more would not fit into the memory of a script anyway."""

_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.ProxyError,
    httpx2.LocalProtocolError,
)
_SHORT = {"connect": CONNECT_SECONDS, "read": 1.0, "write": 1.0, "pool": 1.0}
"""Seconds for what nobody waits for: a notification, the end of a session."""
_FORBIDDEN = (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN)
_PLAIN = ("content-encoding", "content-length", "transfer-encoding")


@asynccontextmanager
async def streamable_http(endpoint: Endpoint, gate: "Gate") -> "AsyncIterator[TransportStreams]":
    """Reach a server at its address, with its headers and no others: no cookies, no netrc."""
    timeout = httpx2.Timeout(None, connect=CONNECT_SECONDS)  # a call has a clock of its own
    headers = {"User-Agent": USER_AGENT, **endpoint.headers}
    async with (
        httpx2.AsyncClient(
            headers=headers, timeout=timeout, transport=gate, trust_env=False
        ) as client,
        streamable_http_client(
            str(endpoint.url), http_client=client, max_sse_event_size=LONGEST_ANSWER
        ) as streams,
    ):
        yield streams


class Gate(httpx2.AsyncBaseTransport):
    """What every exchange with a server passes."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._title = f"the MCP server {endpoint.name}"
        try:
            url = httpx2.URL(str(endpoint.url))
            httpx2.Headers(dict(endpoint.headers))
        except (httpx2.InvalidURL, ValueError) as error:
            part = "an address" if isinstance(error, httpx2.InvalidURL) else "a header"
            message = f"{self._title} has {part} that cannot be used"
            raise ConfigError(message, hint="Correct it where the server is defined.") from None
        proxy = proxy_for(url.scheme, url.host)
        self._inner = httpx2.AsyncHTTPTransport(verify=trust_of(url.scheme), proxy=proxy)
        self._kept = dict[str, KosmoError]()

    def true_error(self, error: "types.ErrorData") -> KosmoError | None:
        """Return what happened, of an error that this gate has given to the SDK."""
        return self._kept.pop(error.data, None) if isinstance(error.data, str) else None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Exchange a request for an answer; never fail."""
        if request.method == "DELETE" or _is_notification(request):
            request.extensions = {**request.extensions, "timeout": _SHORT}
        try:
            answer = await self._inner.handle_async_request(request)
            answer.headers.pop("set-cookie", None)  # else the client would send it back
            return await self._passed(request, answer)
        except httpx2.TransportError as error:
            return self._instead(self._no_answer(request, error))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()

    async def _passed(self, request: httpx2.Request, answer: httpx2.Response) -> httpx2.Response:
        """Return an answer that the SDK can use: as it is, or read whole, or an error instead."""
        if answer.is_redirect:
            if _stays(request, answer):
                return answer
        elif answer.is_success and not _is_json(answer):
            return answer
        body = await _whole(answer)
        if body is None:
            message = f"{self._title} answered with more than {LONGEST_ANSWER // 1024**2} MiB"
            return self._instead(ServiceError(message, effect="sent", status=answer.status_code))
        if answer.is_success or _is_error(request, answer, body):
            headers = [pair for pair in answer.headers.multi_items() if pair[0] not in _PLAIN]
            return httpx2.Response(answer.status_code, headers=headers, content=body)
        return self._instead(self._refused(request, answer, body))

    def _instead(self, error: KosmoError) -> httpx2.Response:
        """Return an error of the protocol, and keep the true one for who gets that."""
        token = uuid4().hex
        if len(self._kept) < 1000:  # noqa: PLR2004  # of notifications, nobody asks for theirs
            self._kept[token] = error
        words = {"code": types.INTERNAL_ERROR, "message": str(error), "data": token}
        return httpx2.Response(599, json={"jsonrpc": "2.0", "id": None, "error": words})

    def _no_answer(self, request: httpx2.Request, error: httpx2.TransportError) -> KosmoError:
        where = request.url.netloc.decode("ascii")
        if isinstance(error, httpx2.ConnectTimeout):
            message = f"{self._title} cannot be reached: {where} did not answer"
            return TimedOut(f"{message} within {CONNECT_SECONDS:g} s", retryable=True)
        if isinstance(error, _NEVER_SENT):
            message = f"{self._title} cannot be reached at {where}: {_reason(error)}"
            hint = "Check the address of the server, and that it is running."
            return Unreachable(message, hint=hint, retryable=True)
        message = f"{self._title} cut the connection before it answered"
        return Unreachable(message, retryable=True, effect="unknown")

    def _refused(
        self, request: httpx2.Request, answer: httpx2.Response, body: bytes
    ) -> KosmoError:
        status, headers = answer.status_code, httpx.Headers(answer.headers.multi_items())
        whole = Answer(status, headers, body)
        if _is_lost(request, answer):
            return SessionLost(f"{self._title} has forgotten the session", retryable=True)
        words = without_controls(shorten(words_of(whole, _explain)))
        error = refused(whole, self._title, words, asked=wait_of(headers), repeat_on=frozenset())
        if status in _FORBIDDEN:
            error.hint = "Check the headers of the server: it wants a valid token, such as in Authorization."
        elif status in (httpx2.codes.NOT_FOUND, httpx2.codes.METHOD_NOT_ALLOWED):
            hint = "Check the address of the server: its path is often /mcp."
            return Unreachable(error.message, hint=hint, status=status, effect="sent")
        return error


class SessionLost(Unreachable):
    """The server has ended the session, and has not looked at the request."""


def _is_notification(request: httpx2.Request) -> bool:
    """Whether nobody waits for the answer; of a request that was redirected, it is not known."""
    try:
        content = request.content
    except httpx2.RequestNotRead:
        return False
    return b'"method":"notifications/' in content[:200].replace(b" ", b"")


def _is_json(answer: httpx2.Response) -> bool:
    return answer.headers.get("content-type", "").lower().startswith("application/json")


def _is_lost(request: httpx2.Request, answer: httpx2.Response) -> bool:
    """Whether the server no longer knows the session.

    Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
    """
    return answer.status_code == httpx2.codes.NOT_FOUND and "mcp-session-id" in request.headers


def _is_error(request: httpx2.Request, answer: httpx2.Response, body: bytes) -> bool:
    """Whether it is an error of the protocol, which says more than its status."""
    says_more = answer.is_redirect or answer.status_code in _FORBIDDEN or _is_lost(request, answer)
    if says_more or not _is_json(answer):
        return False
    try:
        message = types.jsonrpc_message_adapter.validate_json(body, by_name=False)
    except ValueError:
        return False
    return isinstance(message, types.JSONRPCError)


def _stays(request: httpx2.Request, answer: httpx2.Response) -> bool:
    """Whether a redirect leads to the same place, with the same method: the SDK follows no other."""
    try:
        target = request.url.join(answer.headers["location"])
    except httpx2.InvalidURL:
        return False
    here = (request.url.scheme, request.url.host, request.url.port)
    same = (target.scheme, target.host, target.port) == here
    return same and (request.method == "GET" or answer.status_code in (307, 308))


async def _whole(answer: httpx2.Response) -> bytes | None:
    """Read an answer, unless it is longer than fits."""
    parts, size = list[bytes](), 0
    try:
        async for part in answer.aiter_bytes():
            parts.append(part)
            size += len(part)
            if size > LONGEST_ANSWER:
                return None
    finally:
        await answer.aclose()
    return b"".join(parts)


def _explain(body: dict[str, Any]) -> str | None:
    """Return what an error answer says, in the ways that are in use."""
    error = body.get("error")
    if isinstance(error, dict):
        error = error.get("message")
    words = [body.get("error_description"), body.get("message"), body.get("detail"), error]
    return next((word for word in words if isinstance(word, str) and word), None)


def _reason(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]  # one of them is
    if found := re.search(
        r"\[Errno (\d+)\] Connect call failed", str(error)
    ):  # asyncio's own words
        return os.strerror(int(found[1]))
    return shorten(getattr(error, "strerror", None) or str(error) or type(error).__name__)
