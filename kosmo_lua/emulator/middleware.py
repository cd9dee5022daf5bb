"""FaultMiddleware: what stands between a client and the services; it lets the next fault strike.

A request is read whole before anything but a cut amid it happens to it, so that a client that goes away amid
its body has sent nothing and uses up no fault.
"""

import asyncio
from collections.abc import Iterable, Mapping
from http.client import responses

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kosmo_lua.emulator.faults import Fault, Faults
from kosmo_lua.emulator.service import MAX_BODY, EmulatedService
from kosmo_lua.emulator.traffic import CONTROL, Traffic

_NO_CONTENT = {204, 304}


class FaultMiddleware:
    """The ASGI application around that of the services: counts, refuses long bodies, applies faults."""

    def __init__(
        self,
        app: ASGIApp,
        services: Iterable[EmulatedService],
        faults: Faults,
        traffic: Traffic,
    ) -> None:
        self._app = app
        self._services = list(services)
        self._faults = faults
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        self._traffic.requested(scope["state"]["protocol"], scope["path"])
        fault = self._fault(scope, amid=True)
        if fault is None:
            try:
                body = await _body(Request(scope, receive), self._limit(scope))
            except ClientDisconnect:
                return
            if body is None:
                await self._error(scope, 413, None)(scope, receive, send)
                return
            receive = _with_body(body, receive)
            fault = self._fault(scope, amid=False)
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await self._strike(fault, scope, receive, send)

    def _fault(self, scope: Scope, *, amid: bool) -> Fault | None:
        path = scope["path"]
        if path.startswith(CONTROL):
            return None
        fault = self._faults.take(scope["method"], path, amid=amid)
        if fault is not None:
            self._traffic.struck()
        return fault

    async def _strike(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = b""
        if fault.cut not in {"request", "before"}:
            start, body = await _response(self._answer(fault, scope), scope, receive)
            _set_headers(start, fault.headers)
        if fault.delay and await _hangs_up(receive, within=fault.delay):
            return
        transport = scope["state"]["protocol"].transport
        if fault.cut == "head":
            transport.write(b"HTTP/1.1 %d \r\nContent-Ty" % start["status"])
        elif fault.cut in {None, "during", "idle"} and await _send(
            fault, start, body, scope, send
        ):
            return
        transport.close()
        # uvicorn logs an application that returns without an answer while its client is there.
        await _hangs_up(receive, within=None)

    def _answer(self, fault: Fault, scope: Scope) -> ASGIApp:
        status, wait = fault.answer_status, fault.retry_after
        if status is None:
            return self._app
        if status in _NO_CONTENT:
            response = Response(status_code=status)
        elif fault.body is not None:
            kind = "application/json" if fault.body.startswith(("{", "[")) else "text/html"
            response = Response(fault.body, status, media_type=kind)
        else:
            response = self._error(scope, status, wait if isinstance(wait, float | int) else None)
        if wait is not None:
            response.headers["Retry-After"] = wait if isinstance(wait, str) else f"{wait:.15g}"
        return response

    def _error(self, scope: Scope, status: int, retry_after: float | None) -> Response:
        """An error in the manner of the service that the request is for."""
        service = self._service(scope)
        response = service.error(status, scope["path"], retry_after) if service else None
        return response or PlainTextResponse(responses.get(status, f"Status {status}"), status)

    def _limit(self, scope: Scope) -> int:
        """The bytes that the body of the request may have."""
        service = self._service(scope)
        return service.max_body if service else MAX_BODY

    def _service(self, scope: Scope) -> EmulatedService | None:
        """The service that has the path."""
        for service in self._services:
            if any(route.matches(scope)[0] is not Match.NONE for route in service.routes):
                return service
        return None


async def _body(request: Request, limit: int) -> bytes | None:
    """The body of the request; None when it is longer than that."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _with_body(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read already."""
    unread: list[Message] = [{"type": "http.request", "body": body}]

    async def receive_again() -> Message:
        return unread.pop() if unread else await receive()

    return receive_again


async def _response(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """What the application answers, kept back."""
    starts: list[Message] = []
    chunks: list[bytes] = []

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            starts.append(message)
        chunks.append(message.get("body", b""))

    await app(scope, receive, keep)
    return starts[0], b"".join(chunks)


def _set_headers(start: Message, headers: Mapping[str, str | None]) -> None:
    """Give the head of an answer these headers instead of its own, without those that are None."""
    own = MutableHeaders(scope=start)
    for name, value in headers.items():
        if value is None:
            del own[name]
        else:
            own[name] = value


async def _send(fault: Fault, start: Message, body: bytes, scope: Scope, send: Send) -> bool:
    """Send the answer, as far as the fault lets it through; whether the connection lives on."""
    content_length = Headers(raw=start["headers"]).get("content-length")
    length = len(body) if content_length is None else int(content_length)
    if length == len(body) and fault.cut != "during":
        await send(start)
        await send({"type": "http.response.body", "body": body})
        return fault.cut is None
    if fault.cut == "during":
        body = body[: len(body) // 2]
    if body:
        await send(start)
        await send({"type": "http.response.body", "body": body[:length], "more_body": True})
        # h11 refuses to send more than was promised, which is what such a service does.
        scope["state"]["protocol"].transport.write(body[length:])
    return False


async def _hangs_up(receive: Receive, *, within: float | None) -> bool:
    """Whether the client ends the connection within so many seconds; returns when it does."""

    async def disconnect() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(disconnect(), within)
    except TimeoutError:
        return False
    return True
