"""A small, fast HTTP/1.1 server that stands for Segment and PostHog in benchmarks.

`python sink.py --latency 20` prints its port when it listens. It takes events, gives pages of persons, and
counts; `GET /_sink` answers with the counts. It answers what a client needs to go on and checks nothing: the
emulator is for that.
"""

import argparse
import asyncio
import gzip
import json
import selectors
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

PERSONS = "/api/projects/1/persons/"
COUNTS = "/_sink"
EVENT_PATHS = ("/v1/", "/batch", "/i/v0/e", "/capture")
EVENT_MARKS = (b'"messageId"', b'"uuid"')
"""What every event of Segment's and of PostHog's has once: its id."""


@dataclass
class Counts:
    """What has come in. `GET /_sink` itself is not counted; it begins a new span of time."""

    connections: int = 0
    requests: int = 0
    events: int = 0
    first: float | None = None
    """When the first request of the span came."""
    last: float = 0.0
    """When the last answer went."""

    def came(self) -> None:
        """Count a request."""
        self.requests += 1
        self.first = self.first or time.perf_counter()

    def take(self) -> dict[str, float]:
        """Return the counts, and the seconds from the first request to the last answer."""
        seconds = self.last - self.first if self.first else 0.0
        self.first = None
        return {
            "connections": self.connections,
            "requests": self.requests,
            "events": self.events,
            "seconds": seconds,
        }


class Persons:
    """Pages of PostHog's list of persons, made from one template: to make a page takes 20 us."""

    def __init__(self, pages: int) -> None:
        self._pages = pages
        self._templates: dict[int, bytes] = {}

    def answer(self, host: str, query: str) -> bytes:
        """Return the page that starts at `offset`. Page number PAGES is the last and has no `next`."""
        asked = parse_qs(query)
        limit, offset = int(asked["limit"][0]), int(asked.get("offset", ["0"])[0])
        number = offset // limit
        if number >= self._pages:
            return b'{"next":null,"previous":null,"results":[]}'
        after = f'"http://{host}{PERSONS}?limit={limit}&offset={offset + limit}"'
        following = after if number + 1 < self._pages else "null"
        rows = self._template(limit).replace(b"@@@@@@@@", b"%08x" % number)
        return b'{"next":%b,"previous":null,"results":[%b]}' % (following.encode(), rows)

    def _template(self, limit: int) -> bytes:
        if limit not in self._templates:
            rows = [json.dumps(_person(row), separators=(",", ":")) for row in range(limit)]
            self._templates[limit] = ",".join(rows).encode()
        return self._templates[limit]


def _person(row: int) -> dict[str, object]:
    """Return a person as PostHog lists one, with @@@@@@@@ where the page's number belongs."""
    uuid = f"@@@@@@@@-0000-7000-8000-{row:012x}"
    email = f"person-@@@@@@@@-{row}@example.com"
    return {
        "type": "person",
        "id": uuid,
        "uuid": uuid,
        "name": email,
        "distinct_ids": [f"user-@@@@@@@@-{row}"],
        "properties": {"email": email, "plan": "pro", "n": row, "$browser": "Firefox"},
        "created_at": "2026-03-01T09:00:00.123000Z",
        "is_identified": True,
        "last_seen_at": None,
    }


@dataclass
class Sink:
    """What the connections share."""

    latency: float
    persons: Persons
    counts: Counts

    def answer(self, target: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """Return the status and the JSON for a request."""
        if "transfer-encoding" in headers:
            return 411, b'{"detail":"the sink needs a Content-Length"}'
        parts = urlsplit(target)
        if parts.path.startswith(EVENT_PATHS):
            return 200, b'{"success":true}' if parts.path.startswith(
                "/v1/"
            ) else b'{"status":"Ok"}'
        if parts.path == PERSONS:
            return 200, self.persons.answer(headers["host"], parts.query)
        if parts.path == COUNTS:
            return 200, json.dumps(self.counts.take()).encode()
        return 404, b'{"detail":"the sink has no such path"}'


class Connection(asyncio.Protocol):
    """One keep-alive connection. A request with a body must have a Content-Length."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._received = bytearray()
        self._needed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sink.counts.connections += 1

    def data_received(self, data: bytes) -> None:
        """Answer what is whole. Until a large body is there, nothing is searched."""
        self._received += data
        while len(self._received) > self._needed and self._one():
            pass

    def _one(self) -> bool:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return False
        request, *lines = self._received[:end].decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (s.partition(":") for s in lines)
        }
        size = end + 4 + int(headers.get("content-length", "0"))
        if len(self._received) < size:
            self._needed = size - 1
            return False
        body = bytes(self._received[end + 4 : size])
        del self._received[:size]
        self._needed = 0
        self._answer(request.split(" ")[1], headers, body)
        return True

    def _answer(self, target: str, headers: dict[str, str], body: bytes) -> None:
        if target == COUNTS:
            self._sink.counts.connections -= 1
        else:
            self._sink.counts.came()
        status, content = self._sink.answer(target, headers)
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
        answer = head.encode() + b"\r\n\r\n" + content
        if target == COUNTS:
            self._transport.write(answer)
            self._transport.close()
            return
        if self._sink.latency:
            loop = asyncio.get_running_loop()
            loop.call_later(self._sink.latency, self._write, answer)
        else:
            self._write(answer)
        self._count(headers, body)

    def _write(self, answer: bytes) -> None:
        self._transport.write(answer)
        self._sink.counts.last = time.perf_counter()

    def _count(self, headers: dict[str, str], body: bytes) -> None:
        """Count after the answer has gone, so that nobody waits for it."""
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self._sink.counts.events += sum(body.count(mark) for mark in EVENT_MARKS)


async def _serve(sink: Sink) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(sink), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0, help="ms that each answer takes")
    parser.add_argument("--pages", type=int, default=1000, help="pages of persons")
    options = parser.parse_args()
    sink = Sink(options.latency / 1000, Persons(options.pages), Counts())
    # epoll counts in milliseconds and would answer up to one too late; select counts in microseconds.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    loop.run_until_complete(_serve(sink))


if __name__ == "__main__":
    main()
