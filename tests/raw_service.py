"""A service whose answers a test decides, request by request; and `web`, an integration that calls it.

It counts connections, and how many requests it had at once; an answer of None is a connection that ends.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import ConfigDict

from kosmo_lua.integration import (
    TRANSIENT,
    Api,
    BatchLimits,
    Credentials,
    Each,
    Event,
    Field,
    Integration,
    Json,
    JsonObject,
    Object,
    Origin,
    Params,
    Rows,
    encode,
    setting,
)


class Received(NamedTuple):
    """A request, as it came."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse its body."""
        return json.loads(self.body)


class Answer(NamedTuple):
    """What the service answers."""

    status: int = 200
    body: Json = None


Answers = Callable[[Received], Answer | None]


class RawService(ThreadingHTTPServer):
    """Answers on loopback, each connection on a thread of its own."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, answer: Answers | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.answer: Answers = answer or (lambda _: Answer(body={}))
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[Received] = []
        self.connections = 0
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()

    def handle_error(self, *_: object) -> None:
        """A client that has gone away is no error of the test."""

    def count(self, *, connections: int = 0, requests: int = 0) -> None:
        """Count what begins, and what ends."""
        with self._lock:
            self.connections += connections
            self._at_once += requests
            self.most_at_once = max(self.most_at_once, self._at_once)


class _Connection(BaseHTTPRequestHandler):
    server: RawService
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.count(connections=1)

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        received = Received(self.command, parts.path, dict(parse_qsl(parts.query)), body)
        self.server.count(requests=1)
        self.server.requests.append(received)
        answer = self.server.answer(received)
        self.server.count(requests=-1)
        if answer is None:
            self.close_connection = True
            return
        content = b"" if answer.body is None else json.dumps(answer.body).encode()
        head = f"HTTP/1.1 {answer.status} x\r\nContent-Type: application/json\r\n"
        self.wfile.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)

    do_GET = do_POST = _serve  # noqa: N815  # the names that http.server looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Settings(Credentials):
    url: Origin = setting("Where the service is.")


class _Api(Api[_Settings]):
    title = "Web"
    batches: ClassVar[BatchLimits] = BatchLimits(size=3024, events=10, event_size=1000)

    def deliver(self, event: Event) -> None:
        self._post("/note", event.content)

    def deliver_batch(self, events: Sequence[bytes]) -> None:
        self._post("/batch", b"[" + b",".join(events) + b"]")

    def _post(self, path: str, content: bytes) -> None:
        url = self.credentials.url + path
        self.request("POST", url, content=content, repeat_on=TRANSIENT)


web = Integration("web", title="Web", summary="Whatever.", credentials=_Settings, api=_Api)


class _Path(Params):
    path: str = Field(description="A path.", examples=["a"])


@web.read()
def get(api: _Api, path: _Path) -> Json:
    """Read a path.

    Returns: whatever is there.
    """
    return api.request("GET", f"{api.credentials.url}/{path.path}")


@web.write()
def put(api: _Api, path: _Path) -> Json:
    """Write to a path.

    Returns: whatever it says.
    """
    return api.request("POST", f"{api.credentials.url}/{path.path}")


class _Note(Params):
    text: str = Field(description="Anything.", examples=["hello"])


@web.write()
def note(api: _Api, text: _Note) -> Event:
    """Note a text.

    Returns: `{noted, id}`.
    """
    found = api.new_id()
    body: JsonObject = {"text": text.text, "id": found}
    return Event(content=encode(body), id={"id": found}, answer={"noted": True, "id": found})


@web.write()
def label(api: _Api, text: _Note) -> Event:  # noqa: ARG001  # every function takes it
    """Note a text by which it is known; what it is known by is no text where it has a question mark.

    Returns: `{label}`.
    """
    shown: JsonObject = {"label": text.text.replace("?", "\ud800")}
    return Event(content=encode({"text": text.text}), id=shown, answer=shown)


class _Trimmed(Params):
    model_config = ConfigDict(str_strip_whitespace=True)
    more: Object = Field(description="Texts.", examples=[{"a": " b "}])


@web.write()
def trim(api: _Api, trimmed: _Trimmed) -> Event:
    """Note texts without the spaces around them.

    Returns: `{id}`.
    """
    return _as_given(api, trimmed)


class _Counted(Params):
    counts: dict[int, str] = Field(description="What there is of each number.")


@web.write()
def count(api: _Api, counted: _Counted) -> Event:
    """Note numbers.

    Returns: `{id}`.
    """
    return _as_given(api, counted)


def _as_given(api: _Api, params: Params) -> Event:
    shown: JsonObject = {"id": api.new_id()}
    return Event(content=encode({**shown, **params.wire()}), id=shown, answer=shown)


class _Reminder(Params):
    at: datetime | str = Field(description="A time.", examples=["tomorrow"])


@web.write()
def remind(api: _Api, reminder: _Reminder) -> Event:
    """Remind somebody; `fail` does not.

    Returns: `{noted, id}`.
    """
    if reminder.at == "fail":
        raise RuntimeError(reminder.at)
    found = api.new_id()
    body: JsonObject = {"at": str(reminder.at), "id": found}
    return Event(content=encode(body), id={"id": found}, answer={"noted": True, "id": found})


class _List(Params):
    limit: int = Field(3, description="Rows of a page.", examples=[3])


def _pages(_: object, api: _Api, rows: _List) -> Iterator[Rows]:
    page, more = 0, True
    while more:
        query = {"page": str(page), "limit": str(rows.limit)}
        found = api.request("GET", f"{api.credentials.url}/rows", query=query)
        assert isinstance(found, dict)
        listed, more = found["rows"], bool(found["more"])
        assert isinstance(listed, list)
        yield Rows(listed, more)
        page += 1


@web.read(each=Each("each_row", _pages))
def list_rows(api: _Api, rows: _List) -> Json:
    """List the rows of the first page.

    Returns: a list.
    """
    [page] = [next(_pages(None, api, rows))]
    return page.rows


def opens(gate: threading.Event, service: RawService, at_once: int) -> threading.Thread:
    """Open a gate as soon as the service has so many requests at once."""

    def work() -> None:
        deadline = time.monotonic() + 20
        while service.most_at_once < at_once and time.monotonic() < deadline:
            time.sleep(0.005)
        gate.set()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.fixture
def service() -> Iterator[RawService]:
    """Serve an empty object to every request, until the test says otherwise."""
    with RawService() as service:
        thread = threading.Thread(target=partial(service.serve_forever, 0.01))
        thread.start()
        try:
            yield service
        finally:
            service.shutdown()
            thread.join()
