"""The emulator as a server: lifetime, recorded events, faults, and clients that behave badly."""

import re
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kosmo_lua.emulator import EmulatedService, Emulator, Stats
from kosmo_lua.emulator.faults import Cut
from kosmo_lua.errors import (
    ConfigError,
    ExtraMissing,
    InvalidArguments,
    KosmoError,
    UnknownIntegration,
    UsageError,
)
from kosmo_lua.values import JsonObject

LEDGER = f"{__name__}:Ledger"

TLS = ssl.create_default_context()
"""Unused, but every httpx.Client wants one, and making it takes 50 ms."""


class Ledger(EmulatedService):
    """A service that writes down what it is sent."""

    name = "ledger"

    def __init__(self) -> None:
        self.entries: list[JsonObject] = []
        self.has_handled = threading.Event()
        self.routes = [
            Route(f"/{self.name}/entries", self.add, methods=["POST"]),
            Route(f"/{self.name}/defect", self.fail, methods=["POST"]),
            Route(f"/{self.name}/teapot", self.refuse, methods=["POST"]),
            Route(f"/{self.name}/connection", self.describe),
        ]

    async def add(self, request: Request) -> Response:
        """Write down the JSON body."""
        self.entries.append({"received_at": f"{len(self.entries):03}", **await request.json()})
        self.has_handled.set()
        return JSONResponse({"entries": len(self.entries)}, 201)

    async def fail(self, request: Request) -> Response:
        """Break, as a defect would."""
        raise LookupError(request.url.path)

    async def refuse(self, request: Request) -> Response:
        """Answer with an error, the way of Starlette."""
        raise HTTPException(418, request.url.path)

    async def describe(self, request: Request) -> Response:
        """Tell whether the connection sends small packets at once."""
        connection = request.scope["state"]["protocol"].transport.get_extra_info("socket")
        return JSONResponse(bool(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))

    def events(self) -> list[JsonObject]:
        """Everything that was written down."""
        return list(self.entries)

    def reset(self) -> None:
        """Forget it."""
        self.entries.clear()


class Diary(Ledger):
    """A second service, with error bodies of its own."""

    name = "diary"

    def error(self, status: int, path: str, retry_after: float | None) -> Response | None:
        """Say which fault it was."""
        return JSONResponse({"status": status, "path": path, "retry_after": retry_after}, status)


def talk_to(emulator: Emulator) -> httpx.Client:
    """Make a client whose connections are kept alive."""
    return httpx.Client(base_url=emulator.url, timeout=60, verify=TLS)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Run an emulator of both services."""
    with Emulator({"ledger": LEDGER, "diary": f"{__name__}:Diary"}) as running:
        yield running


@pytest.fixture
def client(emulator: Emulator) -> Iterator[httpx.Client]:
    """Talk to the emulator."""
    with talk_to(emulator) as client:
        yield client


def ledger(emulator: Emulator) -> Ledger:
    """Give the ledger behind the emulator."""
    service = emulator.service("ledger")
    assert isinstance(service, Ledger)
    return service


def add(client: httpx.Client, entry: int = 1, *, to: str = "ledger") -> httpx.Response:
    """Write down an entry."""
    return client.post(f"/{to}/entries", json={"entry": entry})


def code(error: pytest.ExceptionInfo[KosmoError]) -> str:
    """Give the code of a caught error."""
    return error.value.code


def test_all_services_are_served_from_one_address(client: httpx.Client) -> None:
    """Ours: each service answers under its own paths."""
    answers = [add(client), add(client, to="diary")]
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (201, {"entries": 1})
    ] * 2


def test_paths_and_methods_nobody_serves_get_plain_errors(client: httpx.Client) -> None:
    """Ours: what a plain HTTP server answers, and no redirect to a path with another slash."""
    answers = [
        client.get("/unknown"),
        client.get("/ledger/entries"),
        client.post("/ledger/entries/"),
    ]
    assert [(answer.status_code, answer.text) for answer in answers] == [
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (404, "Not Found"),
    ]


def test_events_come_from_all_services_in_order_or_from_one(
    emulator: Emulator, client: httpx.Client
) -> None:
    """Ours: `events()` merges by time of receipt, `events(name)` is one service."""
    for entry, name in enumerate(["ledger", "diary", "ledger"]):
        add(client, entry, to=name)
    first: list[JsonObject] = [
        {"received_at": "000", "entry": 0},
        {"received_at": "001", "entry": 2},
    ]
    second: list[JsonObject] = [{"received_at": "000", "entry": 1}]
    assert emulator.events("ledger") == first
    assert emulator.events("diary") == second
    assert emulator.events() == [first[0], *second, first[1]]


def test_events_are_copies(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: a test may take an event apart."""
    add(client)
    emulator.events()[0].clear()
    assert emulator.events() == [{"received_at": "000", "entry": 1}]


def test_cleared_events_are_gone_and_later_ones_show(
    emulator: Emulator, client: httpx.Client
) -> None:
    """Ours: clearing forgets what was sent and leaves the service as it is."""
    add(client, 1)
    emulator.clear_events()
    add(client, 2)
    assert emulator.events() == [{"received_at": "001", "entry": 2}]


def test_reset_forgets_events_and_faults(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: after a reset the emulator is as it started."""
    add(client)
    emulator.clear_events()
    emulator.fault(status=503)
    emulator.reset()
    assert add(client).status_code == 201
    assert emulator.events() == [{"received_at": "000", "entry": 1}]


def test_events_can_be_read_after_the_end() -> None:
    """Ours: a test may look at what was sent once its emulator has stopped."""
    with Emulator({"ledger": LEDGER}) as emulator, talk_to(emulator) as client:
        add(client)
    assert emulator.events() == [{"received_at": "000", "entry": 1}]


def test_an_unknown_integration_is_named_with_the_known_ones(emulator: Emulator) -> None:
    """Ours: a typing mistake is no empty list of events."""
    for ask in (emulator.events, emulator.service):
        with pytest.raises(UnknownIntegration) as error:
            ask("ledgre")
        assert str(error.value) == "No integration 'ledgre' is emulated, only: diary, ledger."


def test_a_service_is_there_after_the_start() -> None:
    """Ours: before it, there is a sentence instead of a KeyError."""
    emulator = Emulator({"ledger": LEDGER})
    with pytest.raises(UsageError) as error:
        emulator.service("ledger")
    assert error.value.hint == "Call start() first."
    assert emulator.events("ledger") == []
    emulator.stop()


# Faults


def test_a_status_is_answered_instead_of_the_service(
    emulator: Emulator, client: httpx.Client
) -> None:
    """Ours: a fault strikes once, the service does not see the request."""
    emulator.fault(status=503)
    failed = add(client)
    assert (failed.status_code, failed.text) == (503, "Service Unavailable")
    assert emulator.events() == []
    assert add(client).status_code == 201


def test_a_failure_looks_like_the_service_s_own(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: a service shapes its error bodies, and learns the wait where it is in seconds."""
    emulator.fault(retry_after=0.5, path="/diary/entries")
    emulator.fault(retry_after=1_234_567, path="/diary/entries")
    emulator.fault(status=500, retry_after="Sun, 06 Nov 1994 08:49:37 GMT", path="/diary/*")
    answers = [add(client, to="diary") for _ in range(3)]
    assert [(answer.headers["retry-after"], answer.json()) for answer in answers] == [
        ("0.5", {"status": 429, "path": "/diary/entries", "retry_after": 0.5}),
        ("1234567", {"status": 429, "path": "/diary/entries", "retry_after": 1_234_567}),
        (
            "Sun, 06 Nov 1994 08:49:37 GMT",
            {"status": 500, "path": "/diary/entries", "retry_after": None},
        ),
    ]


def test_a_body_replaces_the_service_s(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: a gateway's HTML page or broken JSON can be answered, with any status."""
    emulator.fault(body="<h1>Bad gateway</h1>", status=502)
    emulator.fault(body='{"entries": ')
    emulator.fault(status=204, body="never sent")
    emulator.fault(status=460)
    answers = [add(client) for _ in range(4)]
    assert [
        (answer.status_code, answer.headers.get("content-type"), answer.text) for answer in answers
    ] == [
        (502, "text/html; charset=utf-8", "<h1>Bad gateway</h1>"),
        (200, "application/json", '{"entries": '),
        (204, None, ""),
        (460, "text/plain; charset=utf-8", "Status 460"),
    ]


def test_faults_strike_in_order_as_often_as_asked(
    emulator: Emulator, client: httpx.Client
) -> None:
    """Ours: the first fault that matches strikes first, `times` times."""
    emulator.fault(status=500, times=2)
    emulator.fault(status=503)
    assert [add(client).status_code for _ in range(4)] == [500, 500, 503, 201]


@pytest.mark.parametrize(
    ("where", "strikes"),
    [
        ({"path": "/ledger/entries"}, True),
        ({"path": "/ledger/*"}, True),
        ({"path": "*"}, True),
        ({"path": "/ledger"}, False),
        ({"path": "/diary/*"}, False),
        ({"method": "post"}, True),
        ({"method": "GET"}, False),
        ({"method": "POST", "path": "/ledger/*"}, True),
        ({"method": "GET", "path": "/ledger/*"}, False),
    ],
)
def test_a_fault_strikes_where_it_says(
    where: dict[str, str], *, strikes: bool, emulator: Emulator, client: httpx.Client
) -> None:
    """Ours: the path is exact unless it ends in a star, the method is any unless given."""
    emulator.fault(status=503, **where)  # type: ignore[arg-type]  # strings only
    assert (add(client).status_code == 503) is strikes


def test_a_delayed_answer_comes_late_but_comes(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: a slow service is a service."""
    emulator.fault(delay=0.01)
    assert add(client).json() == {"entries": 1}


def test_a_delayed_request_was_handled_when_the_client_gives_up(
    emulator: Emulator, client: httpx.Client
) -> None:
    """Ours: the time-out of a write leaves a write behind, which is what makes it hard."""
    emulator.fault(delay=600)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/ledger/entries", json={"entry": 1}, timeout=0.5)
    assert emulator.events() == [{"received_at": "000", "entry": 1}]


@pytest.mark.parametrize(
    ("cut", "handled"),
    [("request", 0), ("before", 0), ("after", 1), ("head", 1), ("during", 1)],
)
@pytest.mark.parametrize("delay", [0, 0.01])
def test_a_cut_connection_is_cut_where_it_says(
    cut: Cut, handled: int, delay: float, emulator: Emulator, client: httpx.Client
) -> None:
    """Ours: before the service sees the request, or after it, with half an answer or none."""
    emulator.fault(cut=cut, delay=delay)
    with pytest.raises(httpx.TransportError):
        add(client)
    assert len(emulator.events()) == handled
    assert add(client).json() == {"entries": handled + 1}


@pytest.mark.parametrize(
    ("cut", "sent"),
    [
        ("request", b""),
        ("before", b""),
        ("after", b""),
        ("head", b"HTTP/1.1 201 \r\nContent-Ty"),
        ("during", b'{"entr'),
        ("idle", b'{"entries":1}'),
    ],
)
def test_as_much_of_an_answer_arrives_as_the_cut_lets_through(
    cut: Cut, sent: bytes, emulator: Emulator
) -> None:
    """Ours: nothing, half a head, or the head and half of the body; `idle` is behind the whole."""
    emulator.fault(cut=cut)
    answer = exchange(emulator, request_bytes('{"entry": 1}'))
    assert answer.endswith(sent)
    assert answer == sent or answer.startswith(b"HTTP/1.1 201 Created\r\n")


def test_a_cut_amid_a_request_does_not_wait_for_its_body(emulator: Emulator) -> None:
    """Ours: a client that still writes a long body loses its connection."""
    emulator.fault(cut="request")
    assert exchange(emulator, request_bytes('{"entry": 1', length=1_000_000)) == b""
    assert emulator.events() == []
    assert emulator.stats().faults == 1


def test_an_answer_of_the_fault_can_be_cut(emulator: Emulator) -> None:
    """Ours: half of an error is an error of the transport."""
    emulator.fault(status=503, body="never whole", cut="during")
    answer = exchange(emulator, request_bytes('{"entry": 1}'))
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert answer.endswith(b"\r\n\r\nnever")
    assert emulator.events() == []


def test_a_connection_may_end_behind_an_answer(emulator: Emulator) -> None:
    """Ours: nothing announces it, and the next request needs another connection."""
    emulator.fault(cut="idle")
    request = request_bytes('{"entry": 1}')
    with connect(emulator) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.lower().partition(b"\r\n\r\n")
    assert (b"connection: close" in head, body) == (False, b'{"entries":1}')
    with connect(emulator) as connection:
        connection.sendall(request)
        assert connection.recv(12) == b"HTTP/1.1 201"
    assert emulator.stats() == Stats(2, {"/ledger/entries": 2}, 1, accepted=2)


def test_an_answer_has_the_headers_of_the_fault(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: added, instead of its own, or away; the fault's own answer and the service's alike."""
    emulator.fault(headers={"X-RateLimit-Remaining": "0", "content-type": "text/plain"})
    emulator.fault(retry_after=2, headers={"Retry-After": None, "X-RateLimit-Reset": "2"})
    handled, refused = add(client), add(client)
    assert (handled.status_code, handled.json()) == (201, {"entries": 1})
    assert handled.headers["x-ratelimit-remaining"] == "0"
    assert handled.headers["content-type"] == "text/plain"
    assert (refused.status_code, refused.headers["x-ratelimit-reset"]) == (429, "2")
    assert "retry-after" not in refused.headers


def test_an_answer_may_be_shorter_than_its_length(
    emulator: Emulator, client: httpx.Client
) -> None:
    """Ours: the connection ends where the client waits for more."""
    emulator.fault(headers={"Content-Length": "1000"})
    with pytest.raises(httpx.RemoteProtocolError):
        add(client)
    assert add(client).json() == {"entries": 2}


def test_an_answer_may_be_longer_than_its_length(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: the client reads a part; the rest comes behind it, and the connection ends."""
    emulator.fault(headers={"Content-Length": "5"}, times=2)
    cut_off = add(client)
    assert (cut_off.status_code, cut_off.content) == (201, b'{"ent')
    answer = exchange(emulator, request_bytes('{"entry": 1}'))
    assert b"content-length: 5\r\n" in answer.lower()
    assert answer.endswith(b'\r\n\r\n{"entries":2}')
    assert add(client).json() == {"entries": 3}


@pytest.mark.parametrize(
    ("headers", "found"),
    [({"Content-Length": None}, "chunked"), ({"Transfer-Encoding": "chunked"}, "chunked")],
)
def test_an_answer_may_come_in_chunks(
    headers: dict[str, str | None], found: str, emulator: Emulator, client: httpx.Client
) -> None:
    """HTTP/1.1: what has no length comes in chunks; the end can be told from a cut."""
    emulator.fault(headers=headers)
    answer = add(client)
    assert (answer.json(), answer.headers["transfer-encoding"]) == ({"entries": 1}, found)
    emulator.fault(headers=headers, cut="during")
    with pytest.raises(httpx.RemoteProtocolError):
        add(client)


def test_a_share_of_the_requests_goes_wrong_at_random(
    emulator: Emulator, client: httpx.Client
) -> None:
    """Ours: without end, the same ones again with the same seed, and others with another."""

    def statuses(seed: int) -> list[int]:
        emulator.reset()
        emulator.fault(status=503, chance=0.2, seed=seed)
        return [add(client).status_code for _ in range(200)]

    first = statuses(1)
    assert statuses(1) == first
    assert emulator.stats().faults == first.count(503)
    assert statuses(2) != first
    assert 20 < first.count(503) < 60
    assert set(first) == {201, 503}


def test_a_chance_may_have_an_end(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: `times` counts strikes and not chances; chance 1 is every request."""
    emulator.fault(status=503, chance=0.5, times=5)
    emulator.fault(status=500, chance=1, path="/diary/*")
    assert [add(client).status_code for _ in range(100)].count(503) == 5
    assert [add(client, to="diary").status_code for _ in range(20)] == [500] * 20
    fault = {"status": 500, "chance": 1.0, "path": "/diary/*", "times": None}
    assert client.get("/_kosmo/faults").json() == {"faults": [fault]}


def test_an_emulator_counts_what_comes(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: connections and requests, also those that go wrong, but not those about itself."""
    assert emulator.stats() == Stats(connections=0, requests={}, faults=0)
    emulator.fault(cut="after", path="/diary/*")
    for _ in range(3):
        client.post("/ledger/entries?page=2", json={})
    with pytest.raises(httpx.TransportError):
        add(client, to="diary")
    client.get("/unknown")
    with talk_to(emulator) as another:
        counted = another.get("/_kosmo/stats").json()
    assert counted == {
        "connections": 2,
        "requests": {"/ledger/entries": 3, "/diary/entries": 1, "/unknown": 1},
        "faults": 1,
        "accepted": 4,
        "duplicates": 0,
        "dropped": 0,
    }
    assert emulator.stats() == Stats(**counted)
    emulator.reset()
    add(client)
    assert emulator.stats() == Stats(0, {"/ledger/entries": 1}, 0, accepted=1)


def test_connections_of_many_clients_are_counted(emulator: Emulator) -> None:
    """Ours: a pool that opens more than it needs is found out."""

    def send(_: int) -> None:
        with talk_to(emulator) as client:
            for _ in range(5):
                add(client)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    assert emulator.stats() == Stats(8, {"/ledger/entries": 40}, 0, accepted=40)


def test_faults_of_many_clients_strike_exactly_as_often_as_asked(
    emulator: Emulator, client: httpx.Client
) -> None:
    """Ours: racing requests and racing threads that arm faults lose none and double none."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: emulator.fault(status=503, times=5), range(10)))
        statuses = list(pool.map(lambda entry: add(client, entry).status_code, range(200)))
    assert (statuses.count(503), statuses.count(201)) == (50, 150)
    assert len(emulator.events("ledger")) == 150


FIELDS = "status, retry_after, headers, delay, cut, times, chance, seed, path, method, body"
NOTHING = "a fault needs a status, retry_after, headers, delay, cut or body, such as status 503."
SILENT = "goes without status, retry_after, headers and body: then nothing is answered."


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, NOTHING),
        ({"times": 2}, NOTHING),
        ({"chance": 0.2}, NOTHING),
        (
            {"status": "503"},
            "status: input should be a valid integer, for example 503.",
        ),
        ({"status": True}, "status: input should be a valid integer, for example 503."),
        ({"status": 99}, "status: input should be greater than or equal to 200, for example 503."),
        (
            {"status": 503, "times": 0},
            "times: input should be greater than or equal to 1, for example 3.",
        ),
        ({"delay": -1}, "delay: input should be greater than or equal to 0, for example 0.5."),
        ({"delay": True}, "delay: input should be a valid number, for example 0.5."),
        ({"retry_after": [1]}, "retry_after: input should be a valid number, for example 2."),
        (
            {"retry_after": -1},
            "retry_after: input should be greater than or equal to 0, for example 2.",
        ),
        (
            {"cut": "now"},
            (
                "cut: input should be 'request', 'before', 'after', 'head', 'during' or 'idle', "
                'for example "after".'
            ),
        ),
        ({"cut": "after", "status": 503}, f'cut "after" {SILENT}'),
        ({"cut": "before", "headers": {"X": "1"}}, f'cut "before" {SILENT}'),
        ({"cut": "request", "body": ""}, f'cut "request" {SILENT}'),
        (
            {"status": 503, "chance": 0},
            "chance: input should be greater than 0, for example 0.2.",
        ),
        (
            {"status": 503, "chance": 20},
            "chance: input should be less than or equal to 1, for example 0.2.",
        ),
        ({"status": 503, "seed": 1}, "seed goes with chance, for example chance 0.2."),
        (
            {"headers": {"X": 1}},
            'headers: input should be a valid string, for example {"X-RateLimit-Reset": "2"}.',
        ),
        (
            {"headers": {"X": "1\r\nSet-Cookie: a=b"}},
            (
                "headers: string should match pattern '^([!-~]([ -~]*[!-~])?)?$', "
                'for example {"X-RateLimit-Reset": "2"}.'
            ),
        ),
        (
            {"headers": {"content-length": "-1"}},
            'Content-Length is a number of bytes or null, not "-1".',
        ),
        (
            {"headers": {"Transfer-Encoding": "gzip"}},
            'Transfer-Encoding is "chunked" or null, not "gzip".',
        ),
        (
            {"status": 503, "path": "v1"},
            "path: string should match pattern '^[/*]', for example \"/v1/*\".",
        ),
        (
            {"state": 503},
            f"A fault has no field 'state', only {FIELDS}.",
        ),
        (
            [503],
            f"A fault must be an object of the fields {FIELDS}.",
        ),
    ],
)
def test_a_bad_fault_is_refused_with_a_sentence(
    fields: JsonObject, sentence: str, client: httpx.Client
) -> None:
    """Ours: the sentence names the field and a valid value; nothing is armed."""
    refused = client.post("/_kosmo/faults", json=fields)
    assert (refused.status_code, refused.json()) == (400, {"error": sentence})
    assert client.get("/_kosmo/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 100_000], ids=["empty", "open", "binary", "deep"]
)
def test_a_fault_that_is_not_json_is_refused(body: bytes, client: httpx.Client) -> None:
    """Ours: and the server lives on."""
    refused = client.post("/_kosmo/faults", content=body)
    expected = {"error": 'The body must be JSON, for example {"status": 503}.'}
    assert (refused.status_code, refused.json()) == (400, expected)


def test_a_bad_fault_raises_in_python(emulator: Emulator) -> None:
    """Ours: the same sentence, as an error of kosmo."""
    with pytest.raises(InvalidArguments) as error:
        emulator.fault(status=503, retry_after="1\r\nSet-Cookie: a=b")
    assert code(error) == "invalid_arguments"


def test_a_fault_can_be_armed_before_the_start() -> None:
    """Ours: the first request may be the one that fails."""
    emulator = Emulator({"ledger": LEDGER})
    emulator.fault(status=503)
    with emulator, talk_to(emulator) as client:
        assert add(client).status_code == 503


# The /_kosmo routes


def test_the_control_routes_do_what_the_methods_do(client: httpx.Client) -> None:
    """Ours: a client in another language has the same emulator, whole answers compared."""
    event = {"received_at": "000", "entry": 1}
    fault = {"status": 503, "times": 2, "path": "/ledger/*"}
    assert client.get("/_kosmo/health").json() == {
        "status": "ok",
        "integrations": ["ledger", "diary"],
    }
    add(client)
    assert client.get("/_kosmo/events").json() == {"events": [event]}
    assert client.get("/_kosmo/events?integration=diary").json() == {"events": []}
    assert client.delete("/_kosmo/events").json() == {"events": []}
    assert client.get("/_kosmo/events").json() == {"events": []}
    assert client.post("/_kosmo/faults", json=fault).json() == {"faults": [fault]}
    add(client)
    assert client.get("/_kosmo/faults").json() == {"faults": [{**fault, "times": 1}]}
    assert client.delete("/_kosmo/faults").json() == {"faults": []}
    assert client.post("/_kosmo/reset").json() == {"events": [], "faults": []}
    assert add(client).json() == {"entries": 1}


def test_the_control_routes_refuse_an_unknown_integration(client: httpx.Client) -> None:
    """Ours: with the same sentence as `events`."""
    refused = client.get("/_kosmo/events?integration=ledgre")
    expected = {"error": "No integration 'ledgre' is emulated, only: diary, ledger."}
    assert (refused.status_code, refused.json()) == (400, expected)


def test_the_control_routes_are_never_faulted(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: an emulator that fails at everything can still be told to stop that."""
    emulator.fault(status=503, times=100)
    assert client.get("/_kosmo/health").status_code == 200
    assert client.delete("/_kosmo/faults").status_code == 200
    assert add(client).status_code == 201


# Clients and services that behave badly


def request_bytes(body: str, *, length: int | None = None, path: str = "/ledger/entries") -> bytes:
    """Write out a request whose Content-Length may lie."""
    length = len(body) if length is None else length
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}".encode()


def connect(emulator: Emulator) -> socket.socket:
    """Open a bare connection."""
    return socket.create_connection(("127.0.0.1", urlsplit(emulator.url).port or 0), timeout=10)


def exchange(emulator: Emulator, request: bytes) -> bytes:
    """Send bytes and read until the server ends the connection."""
    answer = b""
    with connect(emulator) as connection:
        connection.sendall(request)
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def test_a_body_over_one_mebibyte_is_refused(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: with a length or in chunks, and the connection lives on."""
    size = 1024 * 1024
    chunks = (b"x" * 65536 for _ in range(64))
    refused = [
        client.post("/diary/entries", content=b"x" * (size + 1)),
        client.post("/ledger/entries", content=chunks),
    ]
    assert [(answer.status_code, answer.text) for answer in refused] == [
        (413, '{"status":413,"path":"/diary/entries","retry_after":null}'),
        (413, HTTPStatus(413).phrase),
    ]
    filler = size - len('{"entry":""}')
    assert client.post("/ledger/entries", content=f'{{"entry":"{"x" * filler}"}}').is_success
    assert len(emulator.events()) == 1


def test_half_a_request_is_not_handled(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: a client that goes away amid its body has sent nothing, and uses up no fault."""
    emulator.fault(status=503)
    with connect(emulator) as connection:
        connection.sendall(request_bytes('{"entry": 1}', length=1000))
    assert add(client).status_code == 503
    assert emulator.events() == []


def test_what_is_not_http_is_refused(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: and the next client is served."""
    assert exchange(emulator, b"\x16\x03\x01 TLS?\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert add(client).status_code == 201


def test_requests_in_one_packet_are_answered_in_order(emulator: Emulator) -> None:
    """HTTP/1.1: pipelining."""
    last = b"GET /_kosmo/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = exchange(emulator, request_bytes('{"entry": 1}') * 2 + last)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"201", b"201", b"200"]
    assert len(emulator.events()) == 2


def test_connections_send_small_packets_at_once(client: httpx.Client) -> None:
    """Measured: without it every second request of a connection takes 40 ms longer."""
    assert client.get("/ledger/connection").json() is True


def test_many_clients_at_once_lose_nothing(emulator: Emulator) -> None:
    """Ours: every event of 32 clients with connections of their own is recorded once."""

    def send(client_number: int) -> None:
        with talk_to(emulator) as client:
            for number in range(20):
                add(client, client_number * 20 + number).raise_for_status()

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(send, range(32)))
    entries = sorted(int(str(event["entry"])) for event in emulator.events())
    assert entries == list(range(640))


def test_a_defect_of_a_service_is_a_500_and_is_logged(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Ours: the author of an integration finds the traceback in the log of kosmo."""
    failed = client.post("/ledger/defect")
    assert (failed.status_code, failed.text) == (500, "Internal Server Error")
    assert [record.name for record in caplog.records] == ["kosmo_lua.emulator"]
    assert add(client).status_code == 201


def test_a_service_may_raise_http_errors(client: httpx.Client) -> None:
    """Starlette: HTTPException is an answer."""
    refused = client.post("/ledger/teapot")
    assert (refused.status_code, refused.text) == (418, "/ledger/teapot")


# Start and stop


def serving() -> set[threading.Thread]:
    """Give the threads of all emulators, also of those that other tests leave running."""
    return {thread for thread in threading.enumerate() if thread.name == "kosmo-emulator"}


def test_a_connection_from_before_the_start_is_answered() -> None:
    """Ours: the address is known, and can be used, before anything is loaded."""
    emulator = Emulator({"ledger": LEDGER})
    with connect(emulator) as connection:
        connection.sendall(request_bytes('{"entry": 1}'))
        with emulator:
            assert connection.recv(12) == b"HTTP/1.1 201"


def test_nothing_is_imported_before_the_start_and_a_child_can_use_the_address() -> None:
    """Ours: the socket is bound, the process forks, the parent serves the child."""
    script = f"""
import os, sys
sys.path.insert(0, {str(__file__).rpartition("/")[0]!r})
from kosmo_lua.emulator import Emulator
emulator = Emulator({{"ledger": "test_emulator:Ledger"}})
assert not {{"asyncio", "starlette", "uvicorn"}} & set(sys.modules), sorted(sys.modules)
child = os.fork()
if child == 0:
    emulator.forget()
    emulator.stop()
    import http.client
    connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"), timeout=20)
    connection.request("POST", "/ledger/entries", body='{{"entry": 7}}')
    os._exit(connection.getresponse().status - 200)
with emulator:
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), emulator.events())
"""
    done = subprocess.run(  # noqa: S603  # a script of ours
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("1 [{'received_at': '000', 'entry': 7}]\n", "")


def test_stop_frees_the_port_and_leaves_no_thread(emulator: Emulator) -> None:
    """Ours: with clients that keep their connections alive, and one that never finishes."""
    with talk_to(emulator) as idle, connect(emulator) as unfinished:
        unfinished.sendall(request_bytes("", length=1000))
        add(idle)
        before = serving()
        emulator.stop()
        emulator.stop()
        assert len(before - serving()) == 1
        with pytest.raises(httpx.TransportError):
            add(idle)
        with pytest.raises(OSError):  # noqa: PT011  # refused, in the words of the platform
            connect(emulator)


def test_stop_does_not_wait_for_a_delayed_request(emulator: Emulator) -> None:
    """Ours: the client sees its connection cut."""
    emulator.fault(delay=600)

    def wait() -> str:
        with talk_to(emulator) as client:
            try:
                return add(client).text
            except httpx.TransportError as error:
                return type(error).__name__

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(wait)
        assert ledger(emulator).has_handled.wait(10)
        emulator.stop()
        assert answer.result(10) in {"RemoteProtocolError", "ReadError"}


def test_an_emulator_restarts_on_the_same_port(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: at once, although connections of the last one linger in the system."""
    add(client)
    emulator.stop()
    port = urlsplit(emulator.url).port or 0
    with Emulator({"ledger": LEDGER}, port=port) as again:
        assert again.url == emulator.url
        assert add(client).json() == {"entries": 1}


def test_two_emulators_run_side_by_side(emulator: Emulator, client: httpx.Client) -> None:
    """Ours: each with services, events and faults of its own."""
    with Emulator({"ledger": LEDGER}) as second, talk_to(second) as other:
        second.fault(status=503)
        assert (add(client).status_code, add(other).status_code) == (201, 503)
        assert (len(emulator.events()), len(second.events())) == (1, 0)


def test_a_port_in_use_is_a_config_error(emulator: Emulator) -> None:
    """Ours: one sentence, and what to do."""
    port = urlsplit(emulator.url).port or 0
    with pytest.raises(ConfigError) as error:
        Emulator({}, port=port)
    assert str(error.value).startswith(f"The emulator cannot listen on port {port} of 127.0.0.1: ")
    assert error.value.hint == "Choose another port, or 0 for any free one."


def test_a_port_that_is_none_is_a_config_error() -> None:
    """Ours: 70000 is no port."""
    with pytest.raises(ConfigError) as error:
        Emulator({}, port=70_000)
    assert code(error) == "config_error"


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_a_missing_package_says_how_to_install_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: the emulator is an extra."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExtraMissing) as error:
        Emulator({})
    assert str(error.value) == f"The emulator needs {package}, which is not installed."
    assert error.value.hint == 'pip install "kosmo-lua[emulator]"'


@pytest.mark.parametrize(
    "reference", ["no_such_module:Ledger", f"{__name__}:Ledgre", __name__, "json:JSONDecoder"]
)
def test_a_service_that_cannot_be_loaded_is_a_config_error(reference: str) -> None:
    """Ours: it names the integration; the port is free again."""
    emulator = Emulator({"ledger": reference})
    with pytest.raises(ConfigError) as error:
        emulator.start()
    emulator.stop()
    assert "ledger" in str(error.value)
    assert reference in str(error.value)


def test_a_stopped_emulator_does_not_start_again() -> None:
    """Ours: and one that runs does not start twice."""
    emulator = Emulator({"ledger": LEDGER})
    emulator.start()
    service = emulator.service("ledger")
    emulator.start()
    assert emulator.service("ledger") is service
    emulator.stop()
    with pytest.raises(UsageError) as error:
        emulator.start()
    assert error.value.hint == "Make a new Emulator."


def test_hundreds_of_emulators_start_and_stop() -> None:
    """Ours: no file descriptor, thread or event loop is left behind."""
    before = serving()
    with httpx.Client(verify=TLS) as client:
        for _ in range(200):
            with Emulator({"ledger": LEDGER}) as emulator:
                client.get(f"{emulator.url}/_kosmo/health").raise_for_status()
    assert serving() == before
