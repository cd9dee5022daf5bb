"""A server of bare sockets: it answers what a test says, byte by byte, and keeps every request whole."""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from queue import SimpleQueue
from typing import Literal

import pytest

from kosmo_lua.values import Json


def reply(status: int, body: Json = None, **headers: str) -> bytes:
    """Write an answer; `Retry_After` means the header Retry-After."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def date(moment: float) -> str:
    """Write a Unix time as an HTTP date."""
    return formatdate(moment, usegmt=True)


@dataclass(frozen=True)
class Step:
    """What happens to a request: how much of its body is read, what is answered, how the connection ends."""

    answer: bytes = b""
    then: Literal["keep", "close", "reset"] = "keep"
    reads: int | None = None
    after: float = 0
    """Seconds between request and answer."""


class RawServer:
    """Answers each request with the next step, and with `usual` once there are none."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        """It speaks TLS with this one's certificate."""
        self.requests: list[bytes] = []
        """Every request as it came, as far as it was read."""
        self.steps: list[Step] = []
        self.usual = reply(200, {"success": True})
        self.connections = 0
        self.closed = SimpleQueue[bytes]()
        """The last request of each connection that this side has closed."""
        self.left = SimpleQueue[None]()
        """One for each connection that the other side has closed."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def answers(self, *answers: bytes) -> None:
        """Answer the next requests so."""
        self.steps += [Step(answer) for answer in answers]

    def close(self) -> None:
        """Accept no more."""
        with suppress(OSError):  # it is closed already
            self._listener.shutdown(socket.SHUT_RDWR)  # close alone would not wake who accepts
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._connected, args=(connection,), daemon=True).start()

    def _connected(self, plain: socket.socket) -> None:
        with plain, suppress(OSError):
            with (
                self.tls.wrap_socket(plain, server_side=True) if self.tls else plain as connection
            ):
                last = self._serve(connection)
            if last:
                self.closed.put(last)
            else:
                self.left.put(None)

    def _serve(self, connection: socket.socket) -> bytes:
        """Answer until the connection is to end; return the last request."""
        rest = b""
        while True:
            request, rest, step = self._read(connection, rest)
            if not request:
                return b""
            time.sleep(step.after)
            connection.sendall(step.answer)
            if step.then == "reset":
                linger = struct.pack("ii", 1, 0)  # close sends RST
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            if step.then != "keep":
                return request

    def _read(self, connection: socket.socket, rest: bytes) -> tuple[bytes, bytes, Step]:
        while b"\r\n\r\n" not in rest:
            if not (part := connection.recv(65536)):
                return b"", b"", Step()
            rest += part
            if rest.startswith(b"\x16"):  # TLS, which it does not speak
                connection.sendall(reply(400))
                return b"", b"", Step()
        step = self.steps.pop(0) if self.steps else Step(self.usual)
        head, _, rest = rest.partition(b"\r\n\r\n")
        lengths = [
            line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        ]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        wanted = length if step.reads is None else step.reads
        while len(rest) < wanted:
            rest += connection.recv(min(65536, wanted - len(rest)))
        request = head + b"\r\n\r\n" + rest[:wanted]
        self.requests.append(request)
        return request, rest[wanted:], step


@pytest.fixture
def server() -> Iterator[RawServer]:
    """Serve on loopback."""
    server = RawServer()
    yield server
    server.close()


@pytest.fixture
def to_server(server: RawServer) -> dict[str, str]:
    """Give the settings with which both integrations talk to that server, and may write."""
    return {
        "KOSMO_SEGMENT_WRITE_KEY": "write-key-of-tests",
        "KOSMO_SEGMENT_API_TOKEN": "token-of-tests",
        "KOSMO_SEGMENT_TRACKING_URL": server.url,
        "KOSMO_SEGMENT_API_URL": server.url,
        "KOSMO_SEGMENT_WRITE": "allow",
        "KOSMO_POSTHOG_PROJECT_API_KEY": "phc_tests",
        "KOSMO_POSTHOG_API_TOKEN": "phx_tests",
        "KOSMO_POSTHOG_PROJECT_ID": "1",
        "KOSMO_POSTHOG_URL": server.url,
        "KOSMO_POSTHOG_WRITE": "allow",
    }
