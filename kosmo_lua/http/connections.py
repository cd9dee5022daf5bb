"""Connections: an HTTP client for each thread that calls, so that none waits for another's connection."""

import ssl
from contextlib import closing
from functools import cache
from threading import local

from kosmo_lua import __version__
from kosmo_lua.errors import ServiceError
from kosmo_lua.http.failures import CONNECT_SECONDS
from kosmo_lua.http.library import httpx

USER_AGENT = f"kosmo-lua/{__version__}"

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer, decoded: more would not fit into the memory of a script anyway."""


class Connections:
    """The clients of one account, one for each thread: it keeps its connection alive."""

    def __init__(self, read_seconds: float) -> None:
        self._read_seconds = read_seconds
        self._of_thread = local()
        self._all: list[httpx.Client] = []
        self.reached = False
        """Whether the service was there already: its address is right."""

    def client(self, url: str) -> httpx.Client:
        """Return the client of this thread for an address."""
        scheme = "https" if url.startswith("https:") else "http"
        client: httpx.Client | None = getattr(self._of_thread, scheme, None)
        if client is None:
            client = self._make(_tls() if scheme == "https" else _NO_AUTHORITY)
            setattr(self._of_thread, scheme, client)
            self._all.append(client)
        return client

    def _make(self, tls: ssl.SSLContext) -> httpx.Client:
        timeout = httpx.Timeout(self._read_seconds, connect=CONNECT_SECONDS)
        return httpx.Client(timeout=timeout, headers={"User-Agent": USER_AGENT}, verify=tls)

    def close(self) -> None:
        """Close the clients of all threads."""
        for client in self._all:
            client.close()


def read_whole(answer: httpx.Response, title: str) -> httpx.Response:
    """Read an answer to its end, but no more of it than fits.

    Raises:
        ServiceError: it is longer.
    """
    parts, size = list[bytes](), 0
    with closing(answer):
        for part in answer.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER:
                message = f"{title} answered with more than {MAX_ANSWER // 1024**2} MiB"
                raise ServiceError(message, status=answer.status_code, effect="sent")
    decoded = ("content-encoding", "content-length", "transfer-encoding")
    headers = [pair for pair in answer.headers.multi_items() if pair[0] not in decoded]
    return httpx.Response(answer.status_code, headers=headers, content=b"".join(parts))


def preload() -> None:
    """Import and make what the first request needs, in a process that others are forked of."""
    httpx.Client(verify=_tls()).close()


_NO_AUTHORITY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For http: it trusts nobody, so an https address that came here would be refused."""


@cache
def _tls() -> ssl.SSLContext:
    """Make what checks certificates: once for all accounts, only for https: it takes 20 to 40 ms."""
    return httpx.create_ssl_context()
