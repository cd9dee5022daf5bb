"""The gateway over streamable HTTP, on loopback, for who has the token."""

import hmac
import os
import re
import secrets
import socket

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kosmo_lua.errors import ConfigError
from kosmo_lua.gateway.offer import TOKEN

HOST, PATH = "127.0.0.1", "/mcp"
BACKLOG = 128
KEEP_ALIVE = 75
"""Seconds that a connection may idle: an agent thinks between two calls."""

_NAMES = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(rb"(?i:127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
_ORIGIN = re.compile(rb"https?://" + _HOST.pattern)


def listen(port: int) -> socket.socket:
    """Return a socket that listens on a port of 127.0.0.1, which 0 leaves to the system.

    Raises:
        ConfigError: the port cannot be used.
    """
    try:
        return socket.create_server((HOST, port), backlog=BACKLOG)
    except OSError as error:
        message = f"cannot listen on port {port} of {HOST}: {os.strerror(error.errno or 0)}"
        raise ConfigError(message, hint="Choose another port, or 0 for any free one.") from None


def address(listener: socket.socket) -> str:
    """Return where the server at this socket is reached."""
    return f"http://{HOST}:{listener.getsockname()[1]}{PATH}"


def token_from(given: str | None) -> str:
    """Return the token that clients must show: the given one, or a new one.

    Raises:
        ConfigError: the given one cannot be sent in a header.
    """
    if not given:
        return secrets.token_urlsafe(32)
    if not given.isascii() or not given.isprintable() or " " in given:
        raise ConfigError(f"{TOKEN} must be printable ASCII without spaces")
    return given


async def serve_http(server: Server[object], listener: socket.socket, token: str) -> None:
    """Serve until the process ends."""
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        transport_security=TransportSecuritySettings(
            allowed_hosts=[*_NAMES, *(f"{name}:*" for name in _NAMES)],
            allowed_origins=[
                f"{scheme}://{name}{port}"
                for scheme in ("http", "https")
                for name in _NAMES
                for port in ("", ":*")
            ],
        ),
    )
    app.add_middleware(_Guard, token=token)
    config = uvicorn.Config(
        app,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
    )
    await uvicorn.Server(config).serve(sockets=[listener])


class _Guard:
    """Lets nobody in who does not show the token, nor a web page of another machine, before all else."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._knows(scope):
            refusal = Response(
                "kosmo wants the header Authorization: Bearer TOKEN.\n",
                status_code=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
            await refusal(scope, receive, send)
            return
        if scope["type"] == "http" and (status := _refused(scope)):
            await Response("not from this machine\n", status_code=status)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        shown = _all_of(scope, b"authorization")
        scheme, _, token = b"".join(shown[:1]).partition(b" ")
        # The comparison takes as long for a wrong token as for one that is nearly right.
        is_right = hmac.compare_digest(token, self._token)
        return len(shown) == 1 and scheme.lower() == b"bearer" and is_right


def _refused(scope: Scope) -> int | None:
    """Return the status for names of other machines; of a port the SDK compares only that one begins."""
    if not all(_HOST.fullmatch(host) for host in _all_of(scope, b"host")):
        return 421
    return None if all(_ORIGIN.fullmatch(each) for each in _all_of(scope, b"origin")) else 403


def _all_of(scope: Scope, header: bytes) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == header]
