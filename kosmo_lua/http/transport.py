"""Transport: requests to one address over one HTTP/1.1 connection, which is kept alive.

httpx's own has a pool that threads share, and a request through it takes twice as long. Here each thread has
a connection of its own, so nothing is shared.
"""

import re
import select
import socket
import ssl
import time
from collections.abc import Iterator
from os import getpid
from typing import Any

from kosmo_lua.http.library import httpx
from kosmo_lua.http.parser import Parser

KEPT_SECONDS = 5.0
"""A connection that was idle for longer is not used again: what is between may have dropped it in silence."""

_PIECE = 64 * 1024
_PORTS = {"http": 80, "https": 443}

_LINE = re.compile(rb"[!#$%&'*+.^_`|~\w-]+ [\x21-\x7e]+ HTTP/1\.1")
_HEADER = re.compile(rb"[!#$%&'*+.^_`|~\w-]+: [^\x00-\x08\x0a-\x1f\x7f]*")
"""What may go out: a line break in a value would begin another header."""


class Transport(httpx.BaseTransport):
    """Sends requests to the scheme, host and port of `url`, for one thread. `trust` checks certificates."""

    def __init__(self, url: httpx.URL, trust: ssl.SSLContext) -> None:
        self._host = url.raw_host
        self._port = url.port or _PORTS[url.scheme]
        self._trust = trust if url.scheme == "https" else None
        self._connection: _Connection | None = None
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the answer, whose body is still to be read and closed.

        Raises:
            httpx.ConnectError, httpx.ConnectTimeout: nothing was sent.
            httpx.LocalProtocolError: nothing was sent, nor can it be.
            httpx.RequestError: the answer did not come, or did not come whole.
        """
        data, seconds = _encoded(request), request.extensions["timeout"]
        if self._connection is None or not self._connection.is_usable():
            if self._connection:
                self._connection.close()
            self._connection = _Connection(self._connect(seconds["connect"]), seconds["read"])
        if self._closed:  # while this thread was connecting
            self._connection.close()
            raise httpx.ConnectError("the connections were closed")
        return self._connection.exchange(data, request.method)

    def close(self) -> None:
        """Close the connection for good. Where an answer is awaited, who awaits it closes."""
        self._closed = True
        if self._connection:
            self._connection.abandon()

    def _connect(self, seconds: float) -> socket.socket:
        try:
            # As bytes the name is taken as it is; for a text Python loads what encodes names, for 5 ms.
            address: Any = (self._host, self._port)
            plain = socket.create_connection(address, seconds)
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._trust is None:
                    return plain
                return self._trust.wrap_socket(plain, server_hostname=self._host)
            except BaseException:
                plain.close()
                raise
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error


class _Connection:
    def __init__(self, connected: socket.socket, seconds: float) -> None:
        connected.settimeout(seconds)
        self._socket = connected
        self._arrivals = select.poll()
        self._arrivals.register(connected, select.POLLIN)
        self._idle_since = time.monotonic()
        self._process = getpid()
        self.busy = False
        """Whether a request is on its way, or its answer."""
        self._abandoned = False
        self._parser: Parser
        self._was_taken = True
        """Whether the last request went out whole."""

    def is_usable(self) -> bool:
        """Whether a request may go out: nobody has closed it, and nothing came that was not asked for."""
        if self._socket.fileno() < 0 or time.monotonic() - self._idle_since > KEPT_SECONDS:
            return False
        # After a fork the parent has it, too, and each would get the answers of the other.
        return self._process == getpid() and not self._arrivals.poll(0)

    def exchange(self, data: bytes, method: str) -> httpx.Response:
        """Send a request of this method and return its answer."""
        self._parser = parser = Parser(method)
        self.busy = True
        try:
            self._write(data)
            while not parser.began:
                self._receive()
        except BaseException:
            parser.close()
            self.close()
            raise
        return httpx.Response(parser.status, headers=parser.headers, stream=_Body(self))

    def body(self) -> Iterator[bytes]:
        """Read the body of the answer."""
        while True:
            yield from self._parser.take()
            if self._parser.ended:
                return
            self._receive()

    def release(self) -> None:
        """Keep the connection when the answer was read to its end, and nothing follows; else close it."""
        parser = self._parser
        parser.close()
        if not (parser.ended and parser.keeps and self._was_taken) or self._abandoned:
            self.close()
            return
        self._idle_since = time.monotonic()
        self.busy = False

    def abandon(self) -> None:
        """Close it. An answer that is awaited on another thread ends with what comes next, whole or not."""
        self._abandoned = True
        if not self.busy:
            self.close()

    def close(self) -> None:
        """Close it for good."""
        self._socket.close()
        self.busy = False

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:  # not sendall: the time limit is for each piece
                left = left[self._socket.send(left) :]
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error
        except OSError:  # who refuses a request may answer before it has all of it
            self._was_taken = False

    def _receive(self) -> None:
        """Wait for the next part of the answer."""
        if self._abandoned:  # it may come for ever, a byte at a time
            raise httpx.ReadError("the connection was closed")
        try:
            data = self._socket.recv(_PIECE)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error
        self._parser.feed(data)


def _encoded(request: httpx.Request) -> bytes:
    """Return the bytes of a request.

    Raises:
        httpx.LocalProtocolError: it cannot be sent.
    """
    line = b"%b %b HTTP/1.1" % (request.method.encode(), request.url.raw_path)
    headers = [b"%b: %b" % header for header in request.headers.raw]
    if not _LINE.fullmatch(line) or not all(map(_HEADER.fullmatch, headers)):
        raise httpx.LocalProtocolError("a header has a character that cannot be sent")
    return b"\r\n".join([line, *headers, b"", request.read()])


class _Body(httpx.SyncByteStream):
    """The body of an answer, as httpx takes it: read to its end, or closed before."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def __iter__(self) -> Iterator[bytes]:
        return self._connection.body()

    def close(self) -> None:
        self._connection.release()
