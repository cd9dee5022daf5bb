"""Transport: requests to one address over one HTTP/1.1 connection, which is kept alive.

httpx's own has a pool that threads share, and a request through it takes twice as long. Here each thread has
a connection of its own, so nothing is shared: this is a socket, and h11, which httpx's own uses as well.
"""

import select
import socket
import ssl
import time
from collections.abc import Iterator
from os import getpid

import h11

from kosmo_lua.http.library import httpx

KEPT_SECONDS = 5.0
"""A connection that was idle for longer is not used again: what is between may have dropped it in silence."""

_PIECE = 64 * 1024
_LONGEST_HEAD = 100 * 1024
_PORTS = {"http": 80, "https": 443}


class Transport(httpx.BaseTransport):
    """Sends requests to the scheme, host and port of `url`, for one thread. `trust` checks certificates."""

    def __init__(self, url: httpx.URL, trust: ssl.SSLContext) -> None:
        self._host = url.raw_host.decode("ascii")
        self._port = url.port or _PORTS[url.scheme]
        self._trust = trust if url.scheme == "https" else None
        self._connection: _Connection | None = None
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the answer, whose body is still to be read and closed.

        Raises:
            httpx.ConnectError, httpx.ConnectTimeout: nothing was sent.
            httpx.UnsupportedProtocol, httpx.LocalProtocolError: nothing was sent, nor can it be.
            httpx.RequestError: the answer did not come, or did not come whole.
        """
        seconds = request.extensions["timeout"]
        if self._connection is None or not self._connection.is_usable():
            if self._connection:
                self._connection.close()
            self._connection = _Connection(self._connect(seconds["connect"]), seconds["read"])
        if self._closed:  # while this thread was connecting
            self._connection.close()
            raise httpx.ConnectError("the connections were closed")
        return self._connection.exchange(request)

    def close(self) -> None:
        """Close the connection for good. Where an answer is awaited, who awaits it closes."""
        self._closed = True
        if self._connection:
            self._connection.abandon()

    def _connect(self, seconds: float) -> socket.socket:
        try:
            plain = socket.create_connection((self._host, self._port), seconds)
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
        except UnicodeError as error:  # of the name
            raise httpx.UnsupportedProtocol(str(error)) from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error


class _Connection:
    def __init__(self, connected: socket.socket, seconds: float) -> None:
        connected.settimeout(seconds)
        self._socket = connected
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        self._arrivals = select.poll()
        self._arrivals.register(connected, select.POLLIN)
        self._idle_since = time.monotonic()
        self._process = getpid()
        self.busy = False
        """Whether a request is on its way, or its answer."""
        self._abandoned = False

    def is_usable(self) -> bool:
        """Whether a request may go out: nobody has closed it, and nothing came that was not asked for."""
        if self._socket.fileno() < 0 or time.monotonic() - self._idle_since > KEPT_SECONDS:
            return False
        # After a fork the parent has it, too, and each would get the answers of the other.
        return self._process == getpid() and not self._arrivals.poll(0)

    def exchange(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its answer."""
        self.busy = True
        try:
            self._write(self._encoded(request))
            head = self._event()
            while isinstance(head, h11.InformationalResponse):
                head = self._event()
        except BaseException:
            self.close()
            raise
        assert isinstance(head, h11.Response), "it comes before its body"
        return httpx.Response(
            head.status_code, headers=head.headers.raw_items(), stream=_Body(self)
        )

    def body(self) -> Iterator[bytes]:
        """Read the body of the answer."""
        while isinstance(event := self._event(), h11.Data):
            yield bytes(event.data)

    def release(self) -> None:
        """Keep the connection when the answer was read to its end, and nothing follows; else close it."""
        done = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if not done or self._http.trailing_data[0] or self._abandoned:
            self.close()
            return
        self._http.start_next_cycle()
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

    def _encoded(self, request: httpx.Request) -> bytes:
        target, headers = request.url.raw_path, request.headers.raw
        try:
            head = h11.Request(method=request.method, target=target, headers=headers)
            events = (head, h11.Data(data=request.read()), h11.EndOfMessage())
            return b"".join(self._http.send(event) or b"" for event in events)
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:  # not sendall: the time limit is for each piece
                left = left[self._socket.send(left) :]
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error
        except OSError:  # who refuses a request may answer before it has all of it
            self._http.send_failed()

    def _event(self) -> object:
        """Read until something is whole: a head, a part of a body, or its end."""
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                if self._abandoned:  # an answer may come for ever, a byte at a time
                    raise httpx.ReadError("the connection was closed")
                self._http.receive_data(self._socket.recv(_PIECE))
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error
        return event


class _Body(httpx.SyncByteStream):
    """The body of an answer, as httpx takes it: read to its end, or closed before."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def __iter__(self) -> Iterator[bytes]:
        return self._connection.body()

    def close(self) -> None:
        self._connection.release()
