"""Segment's emulator: as strict as the documentation of the two real APIs, and no stricter."""

import contextlib
import gzip
import json
import ssl
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypedDict

import httpx
import pytest

from kosmo_lua.emulator import Emulator
from kosmo_lua.emulator.faults import Cut
from kosmo_lua.values import Json, JsonObject
from kosmo_segment.emulator import API_TOKEN, WRITE_KEY, SegmentEmulator

BEARER = {"Authorization": f"Bearer {API_TOKEN}"}
TLS = ssl.create_default_context()
"""Unused, but every httpx.Client wants one, and making it takes 50 ms."""


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Run Segment's emulator."""
    with Emulator({"segment": "kosmo_segment.emulator:SegmentEmulator"}) as running:
        yield running


@pytest.fixture
def segment(emulator: Emulator) -> SegmentEmulator:
    """Give the service behind it."""
    service = emulator.service("segment")
    assert isinstance(service, SegmentEmulator)
    return service


@pytest.fixture
def tracking(emulator: Emulator) -> Iterator[httpx.Client]:
    """Talk to the Tracking API with the write key of the website."""
    with httpx.Client(base_url=f"{emulator.url}/v1", auth=(WRITE_KEY, ""), verify=TLS) as client:
        yield client


@pytest.fixture
def public(emulator: Emulator) -> Iterator[httpx.Client]:
    """Talk to the Public API with its token."""
    with httpx.Client(base_url=emulator.url, headers=BEARER, verify=TLS) as client:
        yield client


def sent(emulator: Emulator) -> list[JsonObject]:
    """Give the recorded events without the time of receipt."""
    return [
        {name: value for name, value in event.items() if name != "received_at"}
        for event in emulator.events("segment")
    ]


def event(kind: str, message: Json, reason: str | None = None, **other: Json) -> JsonObject:
    """Describe an event as it is recorded."""
    return {
        "integration": "segment",
        "type": kind,
        "path": f"/v1/{kind}",
        "write_key": WRITE_KEY,
        "accepted": reason is None,
        "reason": reason,
        "duplicate": False,
        "message": message,
        **other,
    }


def nested(depth: int) -> bytes:
    """Write an object with so many levels."""
    return b'{"a":' * depth + b"1" + b"}" * depth


# Tracking API


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("identify", {"userId": "user-42", "traits": {"plan": "pro", "nothing": None}}),
        (
            "track",
            {"userId": "user-42", "event": "Order Completed", "properties": {"revenue": 99.99}},
        ),
        ("page", {"userId": "user-42", "name": "Product Listing", "properties": {}}),
        ("screen", {"anonymousId": "a-1"}),
        ("group", {"userId": "user-42", "groupId": "org-123", "traits": {"employee_count": 250}}),
        ("alias", {"userId": "user-42", "previousId": "a-1"}),
        (
            "track",
            {
                "anonymousId": "a-1",
                "event": "Zug fährt ab 🚂",
                "messageId": "m" * 100,
                "timestamp": "2026-04-05T10:00:00.000Z",
                "sentAt": "2026-04-05T12:00:00+02:00",
                "context": {"library": {"name": "x", "version": "1"}},
                "integrations": {"All": False},
                "unknown": [1, {"two": 3}],
            },
        ),
    ],
)
def test_a_message_is_received_and_recorded_as_it_was(
    kind: str, message: JsonObject, tracking: httpx.Client, emulator: Emulator
) -> None:
    """Segment: 200 and success; ours: the whole message can be read back."""
    answer = tracking.post(kind, json=message)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert sent(emulator) == [event(kind, message)]


def test_the_time_of_receipt_is_utc(tracking: httpx.Client, emulator: Emulator) -> None:
    """Ours: `received_at` is ISO 8601 with milliseconds and a Z."""
    tracking.post("track", json={})
    text = str(emulator.events()[0]["received_at"])
    assert (len(text), text[-1]) == (len("2026-04-05T10:00:00.000Z"), "Z")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(text)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("headers", "field", "write_key"),
    [
        ({"Authorization": "Basic " + b64encode(b"key-1:").decode()}, {}, "key-1"),
        ({"Authorization": "basic " + b64encode(b"key-1:").decode()}, {}, "key-1"),
        ({}, {"writeKey": "key-2"}, "key-2"),
        (
            {"Authorization": "Basic " + b64encode(b"key-1:").decode()},
            {"writeKey": "key-2"},
            "key-1",
        ),
        ({"Authorization": "Bearer oauth"}, {"writeKey": "key-2"}, "key-2"),
        ({"Authorization": "Basic " + b64encode(b":").decode()}, {"writeKey": "key-2"}, "key-2"),
    ],
)
def test_any_write_key_is_taken_from_header_or_body(
    headers: dict[str, str], field: JsonObject, write_key: str, emulator: Emulator
) -> None:
    """Segment: keys are not checked; ours: the recorded message has none."""
    message: JsonObject = {"userId": "u"}
    answer = httpx.post(
        f"{emulator.url}/v1/identify", headers=headers, json=message | field, verify=TLS
    )
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert sent(emulator) == [event("identify", message, write_key=write_key)]


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({}, {}),
        ({}, {"writeKey": ""}),
        ({}, {"writeKey": 5}),
        ({"Authorization": "Basic " + b64encode(b":").decode()}, {}),
        ({"Authorization": "Basic " + b64encode(b"key-without-colon").decode()}, {}),
        ({"Authorization": "Basic \xff\xff"}, {}),
        ({"Authorization": "Basic /w=="}, {}),
        ({"Authorization": "Bearer oauth"}, {}),
    ],
)
def test_an_empty_write_key_is_a_bad_request(
    headers: dict[str, str], field: JsonObject, emulator: Emulator
) -> None:
    """Segment: observed for empty keys; a key without its colon counts as none."""
    encoded = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    body = {"userId": "u", **field}
    answer = httpx.post(f"{emulator.url}/v1/identify", headers=encoded, json=body, verify=TLS)
    expected = {"code": "invalid_write_key", "message": "The write key is missing or empty."}
    assert (answer.status_code, answer.json()) == (400, expected)
    assert sent(emulator) == []


@pytest.mark.parametrize(
    ("content", "headers", "code"),
    [
        (b"", {}, "invalid_json"),
        (b"{", {}, "invalid_json"),
        (b"[]", {}, "invalid_json"),
        (b"null", {}, "invalid_json"),
        (b'"text"', {}, "invalid_json"),
        (b'{"a": NaN}', {}, "invalid_json"),
        (b'{"a": -Infinity}', {}, "invalid_json"),
        (b'{"a": 1e999}', {}, "invalid_json"),
        (b'{"a": ' + b"9" * 5000 + b"}", {}, "invalid_json"),
        (b'{"a": "\xff"}', {}, "invalid_json"),
        ('{"a": 1}'.encode("utf-16"), {}, "invalid_json"),
        (nested(101), {}, "invalid_json"),
        (nested(5000), {}, "invalid_json"),
        (b'{"a": "' + b"x" * (32 * 1024 - 8) + b'"}', {}, "payload_too_large"),
        (b"{}", {"Content-Type": "text/plain"}, "invalid_content_type"),
        (b"{}", {"Content-Type": ""}, "invalid_content_type"),
        (b"{}", {"Content-Encoding": "gzip"}, "invalid_encoding"),
        (gzip.compress(b"{}", mtime=0)[:-4], {"Content-Encoding": "gzip"}, "invalid_encoding"),
        (b"{}", {"Content-Encoding": "br"}, "invalid_encoding"),
        (gzip.compress(b"x" * 10**6, mtime=0), {"Content-Encoding": "gzip"}, "payload_too_large"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_small_json_object_is_a_bad_request(
    content: bytes, headers: dict[str, str], code: str, tracking: httpx.Client, emulator: Emulator
) -> None:
    """Segment: 400 for invalid JSON and for more than 32 KB, which is all that it refuses."""
    kind = {"Content-Type": "application/json"}
    answer = tracking.post("track", content=content, headers=kind | headers)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert sent(emulator) == []


def test_a_message_of_32_kilobytes_is_received(tracking: httpx.Client, emulator: Emulator) -> None:
    """Segment: the limit itself is allowed, in bytes of UTF-8."""
    message = {"userId": "u", "traits": {"name": "ü"}}
    size = len(json.dumps(message, ensure_ascii=False).encode())
    message["traits"] = {"name": "ü" + "x" * (32 * 1024 - size)}
    content = json.dumps(message, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert len(content) == 32 * 1024
    assert tracking.post("identify", content=content, headers=headers).is_success
    assert tracking.post("identify", content=content + b" ", headers=headers).status_code == 400
    assert len(sent(emulator)) == 1


def test_odd_but_valid_json_can_be_read_back(tracking: httpx.Client, emulator: Emulator) -> None:
    """Ours: half a surrogate pair and a hundred levels neither break a request nor the events."""
    kind = {"Content-Type": "application/json"}
    tracking.post("track", content=rb'{"event": "\ud83d"}', headers=kind)
    tracking.post("track", content=nested(100), headers=kind)
    assert [message["message"] for message in sent(emulator)] == [
        {"event": "\ud83d"},
        json.loads(nested(100)),
    ]
    assert len(httpx.get(f"{emulator.url}/_kosmo/events", verify=TLS).json()["events"]) == 2


@pytest.mark.parametrize(
    ("kind", "message", "reason"),
    [
        ("track", {"userId": "u"}, "event must be a non-empty string"),
        ("track", {"userId": "u", "event": ""}, "event must be a non-empty string"),
        ("track", {"userId": "u", "event": 5}, "event must be a non-empty string"),
        ("group", {"userId": "u"}, "groupId must be a non-empty string"),
        ("alias", {"userId": "u"}, "previousId must be a non-empty string"),
        ("identify", {}, "userId or anonymousId must be a non-empty string"),
        ("page", {"userId": ""}, "userId or anonymousId must be a non-empty string"),
        ("screen", {"userId": 42}, "userId or anonymousId must be a non-empty string"),
        ("identify", {"userId": "u", "traits": []}, "traits must be an object"),
        ("page", {"userId": "u", "properties": "example"}, "properties must be an object"),
        ("page", {"userId": "u", "context": [1]}, "context must be an object"),
        ("page", {"userId": "u", "integrations": True}, "integrations must be an object"),
        (
            "page",
            {"userId": "u", "timestamp": "yesterday"},
            "timestamp must be an ISO 8601 time with a zone",
        ),
        (
            "page",
            {"userId": "u", "timestamp": 1775383200},
            "timestamp must be an ISO 8601 time with a zone",
        ),
        (
            "page",
            {"userId": "u", "sentAt": "2026-04-05T10:00:00"},
            "sentAt must be an ISO 8601 time with a zone",
        ),
        (
            "page",
            {"userId": "u", "messageId": "m" * 101},
            "messageId must be a string of 1 to 100 characters",
        ),
        (
            "page",
            {"userId": "u", "messageId": 7},
            "messageId must be a string of 1 to 100 characters",
        ),
    ],
)
def test_a_message_that_is_not_valid_is_received_and_dropped(
    kind: str, message: JsonObject, reason: str, tracking: httpx.Client, emulator: Emulator
) -> None:
    """Segment: 200 says received, not valid; ours: the event says why."""
    answer = tracking.post(kind, json=message)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert sent(emulator) == [event(kind, message, reason)]


def test_a_repeated_message_id_is_a_duplicate(tracking: httpx.Client, emulator: Emulator) -> None:
    """Segment: a retry with its messageId counts once, over all sources; one without it, twice."""
    first = {"userId": "u", "messageId": "m-1"}
    tracking.post("identify", json={"messageId": "m-1"})
    tracking.post("identify", json=first)
    tracking.post("identify", json=first, auth=("another-key", ""))
    tracking.post("identify", json={"userId": "u"})
    tracking.post("identify", json={"userId": "u"})
    assert [(item["accepted"], item["duplicate"]) for item in sent(emulator)] == [
        (False, False),
        (True, False),
        (True, True),
        (True, False),
        (True, False),
    ]
    stats = emulator.stats()
    assert (stats.accepted, stats.duplicates, stats.dropped) == (3, 1, 1)


def test_a_batch_is_one_event_for_each_message(tracking: httpx.Client, emulator: Emulator) -> None:
    """Segment: a batch shares its context and its integrations with its messages."""
    body = {
        "writeKey": "in-the-body",
        "sentAt": "2026-04-05T10:00:00Z",
        "context": {"library": {"name": "x"}, "ip": "1.2.3.4"},
        "integrations": {"All": True},
        "batch": [
            {"type": "track", "userId": "u", "event": "e", "context": {"ip": "5.6.7.8"}},
            {"type": "identify", "userId": "u", "writeKey": "again", "integrations": 5},
            {"type": "track", "userId": "u"},
            {"type": "unknown", "userId": "u"},
            {"userId": "u"},
            "text",
        ],
    }
    context: JsonObject = {"library": {"name": "x"}, "ip": "1.2.3.4"}
    shared: JsonObject = {"context": context, "integrations": {"All": True}}
    kinds = "type must be one of identify, track, page, screen, group, alias"
    answer = tracking.post("batch", json=body)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    expected = [
        event(
            "track",
            {"type": "track", "userId": "u", "event": "e", **shared}
            | {"context": {**context, "ip": "5.6.7.8"}},
        ),
        event(
            "identify",
            {"type": "identify", "userId": "u", "context": context, "integrations": 5},
            "integrations must be an object",
        ),
        event(
            "track",
            {"type": "track", "userId": "u", **shared},
            "event must be a non-empty string",
        ),
        event("unknown", {"type": "unknown", "userId": "u", **shared}, kinds),
        event("batch", {"userId": "u", **shared}, kinds),
        event("batch", "text", "a message must be an object"),
    ]
    assert sent(emulator) == [{**item, "path": "/v1/batch"} for item in expected]


@pytest.mark.parametrize("batch", [None, [], {}, "text"])
def test_a_batch_without_messages_is_received_and_dropped(
    batch: Json, tracking: httpx.Client, emulator: Emulator
) -> None:
    """Segment: 200; ours: what came instead can be seen."""
    assert tracking.post("batch", json={"batch": batch}).json() == {"success": True}
    assert sent(emulator) == [
        event("batch", {"batch": batch}, "batch must be an array of messages")
    ]


@pytest.mark.parametrize(("size", "accepted"), [(2500, True), (2501, False)])
def test_a_batch_of_more_than_2500_is_received_and_dropped(
    size: int, *, accepted: bool, tracking: httpx.Client, emulator: Emulator
) -> None:
    """Segment: such a batch is rejected behind a 200."""
    message: JsonObject = {"type": "page", "userId": "u"}
    reason = None if accepted else "a batch must not have more than 2,500 messages"
    assert tracking.post("batch", json={"batch": [message] * size}).json() == {"success": True}
    assert sent(emulator) == [event("page", message, reason, path="/v1/batch")] * size


def test_a_batch_has_limits_for_all_and_for_each(
    tracking: httpx.Client, emulator: Emulator
) -> None:
    """Segment: 500 KB, and 32 KB for a message; more is a 400 for the whole batch."""
    fits = {"type": "page", "userId": "u", "name": "x" * 30_000}
    too_big = {"type": "page", "userId": "u", "name": "x" * 33_000}
    assert tracking.post("batch", json={"batch": [fits] * 17}).is_success
    refused = [
        tracking.post("batch", json={"batch": [fits] * 18}),
        tracking.post("batch", json={"batch": [fits] * 100}),
        tracking.post("batch", json={"batch": [fits, too_big]}),
    ]
    assert [(answer.status_code, answer.json()) for answer in refused] == [
        (400, {"code": "payload_too_large", "message": message})
        for message in (
            "The body must not exceed 512000 bytes.",
            "The body must not exceed 512000 bytes.",
            "A message of a batch must not exceed 32768 bytes.",
        )
    ]
    assert len(sent(emulator)) == 17


def test_a_compressed_body_is_received(tracking: httpx.Client, emulator: Emulator) -> None:
    """Segment: gzip is accepted."""
    message: JsonObject = {"userId": "u", "traits": {"plan": "pro"}}
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    content = gzip.compress(json.dumps(message).encode())
    assert tracking.post("identify", content=content, headers=headers).json() == {"success": True}
    assert sent(emulator) == [event("identify", message)]


def test_the_tracking_api_answers_other_methods_and_paths_plainly(tracking: httpx.Client) -> None:
    """Ours: 405 and 404, as any HTTP service."""
    answers = [
        tracking.get("track"),
        tracking.put("batch", json={}),
        tracking.post("trak", json={}),
    ]
    assert [(answer.status_code, answer.text) for answer in answers] == [
        (405, "Method Not Allowed"),
        (405, "Method Not Allowed"),
        (404, "Not Found"),
    ]


# Public API


def problem(status: int, answer: httpx.Response) -> JsonObject:
    """Give the only error of an answer, which must have that status."""
    assert answer.status_code == status
    error: JsonObject = answer.json()["errors"][0]
    assert answer.json() == {"errors": [error]}
    return error


@pytest.mark.parametrize("path", ["/", "/sources", "/sources/abc123"])
@pytest.mark.parametrize(
    "authorization", [None, "Bearer", "Bearer wrong", f"Basic {API_TOKEN}", API_TOKEN, WRITE_KEY]
)
def test_the_public_api_wants_its_token(
    path: str, authorization: str | None, emulator: Emulator
) -> None:
    """Segment: 401 for a missing or invalid token; a write key is none."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = httpx.get(emulator.url + path, headers=headers, verify=TLS)
    expected = {"type": "unauthorized", "message": "The API token is missing or invalid."}
    assert problem(401, answer) == expected


def test_the_workspace_is_the_one_of_the_token(public: httpx.Client) -> None:
    """Segment: a token belongs to one workspace; the seed's is that of the documented examples."""
    answer = public.get("/")
    workspace = {"id": "emulatedWorkspace00001", "slug": "my-workspace", "name": "My Workspace"}
    assert answer.json() == {"data": {"workspace": workspace}}


def test_answers_tell_the_rate_limit(public: httpx.Client) -> None:
    """Segment: three headers, of which the reset is a date."""
    headers = public.get("/").headers
    assert (headers["x-ratelimit-consumed"], headers["x-ratelimit-remaining"]) == ("1", "59")
    assert parsedate_to_datetime(headers["x-ratelimit-reset"]) > datetime.now(UTC)


def test_the_seed_has_an_ordinary_a_nameless_and_a_keyless_source(public: httpx.Client) -> None:
    """Segment: `name` is optional, and write keys are hidden from a lesser token."""
    data = public.get("/sources").json()["data"]
    assert data["pagination"] == {"current": "MA==", "totalEntries": 3}
    seen = [(source["id"], source.get("name"), source["writeKeys"]) for source in data["sources"]]
    assert seen == [
        ("abc123", "Website", [WRITE_KEY]),
        ("emulatedSource00000002", None, ["emulatedBillingWriteKey000000002"]),
        ("emulatedSource00000003", "Warehouse", []),
    ]
    assert {len(key) for _, _, keys in seen for key in keys} == {32}


def test_a_source_is_found_by_its_id(public: httpx.Client, segment: SegmentEmulator) -> None:
    """Segment: the source beside its tracking plan."""
    answer = public.get("/sources/abc123")
    assert answer.json() == {"data": {"source": segment.sources[0], "trackingPlanId": None}}


def test_a_source_is_not_found_by_its_slug(public: httpx.Client) -> None:
    """Segment: the documented error."""
    message = "Source with id 'website' not found."
    expected = {"type": "not-found", "message": message, "data": None}
    assert problem(404, public.get("/sources/website")) == expected


def test_an_id_has_at_most_255_characters(public: httpx.Client) -> None:
    """Segment: 422 beyond."""
    assert problem(404, public.get("/sources/" + "x" * 255))["type"] == "not-found"
    assert problem(422, public.get("/sources/" + "x" * 256))["field"] == "sourceId"


@pytest.mark.parametrize("form", ["pagination.{}", "pagination[{}]"])
@pytest.mark.parametrize(
    ("count", "sizes"), [(None, [200, 200, 50]), (450, [450]), (149, [149] * 3 + [3])]
)
def test_sources_come_in_pages(
    form: str, count: int | None, sizes: list[int], public: httpx.Client, segment: SegmentEmulator
) -> None:
    """Segment: dots in its documentation, brackets in its SDK; no `next` on the last page."""
    segment.sources = [{**segment.sources[0], "id": f"source-{n}"} for n in range(450)]
    query = {} if count is None else {form.format("count"): str(count)}
    pages, previous = [], []
    cursor: str | None = ""
    while cursor is not None:
        answer = public.get(
            "/sources", params=query | ({form.format("cursor"): cursor} if cursor else {})
        )
        data = answer.json()["data"]
        pages.append([source["id"] for source in data["sources"]])
        previous.append(data["pagination"].get("previous"))
        assert data["pagination"]["totalEntries"] == 450
        assert cursor in {"", data["pagination"]["current"]}
        cursor = data["pagination"].get("next")
    assert [len(page) for page in pages] == sizes
    assert [name for page in pages for name in page] == [f"source-{n}" for n in range(450)]
    assert [before is None for before in previous] == [True] + [False] * (len(pages) - 1)


@pytest.mark.parametrize("count", ["0", "1001", "-1", "", "ten", "1.5", "٣", "01", "1e2"])
def test_a_bad_count_is_unprocessable(count: str, public: httpx.Client) -> None:
    """Segment: 1 to 1000."""
    assert problem(422, public.get("/sources", params={"pagination.count": count})) == {
        "type": "input-validation",
        "message": '"pagination.count" must be a number from 1 to 1000',
        "field": "pagination.count",
    }


@pytest.mark.parametrize("cursor", ["", "2", "!", "LTE=", "w6k=", "4pmA", "MTAwMDAwMDAwMDAwMDA="])
def test_a_bad_cursor_is_unprocessable(cursor: str, public: httpx.Client) -> None:
    """Segment: cursors are opaque; one that was not handed out is refused."""
    assert problem(422, public.get("/sources", params={"pagination.cursor": cursor})) == {
        "type": "input-validation",
        "message": '"pagination.cursor" is not a cursor of this list',
        "field": "pagination.cursor",
    }


def test_a_cursor_beyond_the_end_gives_an_empty_page(public: httpx.Client) -> None:
    """Ours: sources may go away between two pages."""
    data = public.get("/sources", params={"pagination.cursor": "MTAw"}).json()["data"]
    pagination = {"current": "MTAw", "previous": "MA==", "totalEntries": 3}
    assert data == {"sources": [], "pagination": pagination}


# Faults and reset


def test_rate_limits_look_as_documented(
    emulator: Emulator, tracking: httpx.Client, public: httpx.Client
) -> None:
    """Segment: seconds in two headers of one API, milliseconds in the body of the other."""
    emulator.fault(status=429, retry_after=2, times=2)
    emulator.fault(status=429, times=2)
    answers = [
        client.get(path)
        for _ in range(2)
        for client, path in ((tracking, "/track"), (public, "/"))
    ]
    assert [
        (answer.headers["retry-after"], answer.headers.get("x-ratelimit-reset"))
        for answer in answers
    ] == [("2", "2"), ("2", None), ("1", "1"), ("1", None)]
    tracked = {"code": "too_many_requests", "message": "Too Many Requests"}
    data = {"remainingPoints": 0, "consumedPoints": 21}
    error = {"type": "RequestError", "message": "Too many requests"}
    assert [answer.json() for answer in answers] == [
        tracked,
        {"errors": [{**error, "data": {**data, "msBeforeNext": 2000}}]},
        tracked,
        {"errors": [{**error, "data": {**data, "msBeforeNext": 1000}}]},
    ]


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, ["2", "2", "2", None]),
        ({"Retry-After": None}, [None, "2", None, None]),
        ({"X-RateLimit-Reset": None}, ["2", None, "2", None]),
        (
            {"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT", "X-RateLimit-Reset": "7"},
            ["Sun, 06 Nov 1994 08:49:37 GMT", "7"] * 2,
        ),
    ],
)
def test_a_rate_limit_can_be_told_in_one_form_only(
    headers: dict[str, str | None],
    told: list[str | None],
    emulator: Emulator,
    tracking: httpx.Client,
    public: httpx.Client,
) -> None:
    """Ours: a client must find the wait in each of its places; `msBeforeNext` is always there."""
    emulator.fault(retry_after=2, headers=headers, times=2)
    tracked, read = tracking.post("track", json={}), public.get("/")
    assert [
        answer.headers.get(name)
        for answer in (tracked, read)
        for name in ("retry-after", "x-ratelimit-reset")
    ] == told
    assert (tracked.status_code, problem(429, read)["data"]) == (
        429,
        {"remainingPoints": 0, "msBeforeNext": 2000, "consumedPoints": 21},
    )


def test_a_success_can_tell_that_the_limit_is_near(
    emulator: Emulator, public: httpx.Client
) -> None:
    """Ours: a budget is learnt from headers of answers that are otherwise whole."""
    emulator.fault(headers={"X-RateLimit-Remaining": "0"})
    answer = public.get("/")
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, "0")
    assert answer.json()["data"]["workspace"]["slug"] == "my-workspace"


def test_truncated_json_of_the_right_length_is_json_by_its_type(
    emulator: Emulator, tracking: httpx.Client
) -> None:
    """Ours: only who parses it finds out."""
    emulator.fault(body='{"succ')
    answer = tracking.post("track", json={})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert (answer.headers["content-length"], answer.content) == ("6", b'{"succ')


def test_10000_events_can_be_counted_behind_many_faults(
    emulator: Emulator, tracking: httpx.Client
) -> None:
    """Ours: what is sent again after a lost answer is a duplicate, and nothing else is."""
    for seed, fault in enumerate(FAULTS):
        emulator.fault(**fault, chance=0.05, seed=seed)
    ids = [f"message-{number}" for number in range(10_000)]
    for start in range(0, len(ids), 100):
        batch = [{"type": "page", "userId": "u", "messageId": each} for each in ids[start:][:100]]
        is_sent = False
        while not is_sent:
            with contextlib.suppress(httpx.TransportError, ValueError):
                is_sent = tracking.post("batch", json={"batch": batch}).json() == {"success": True}
    events = emulator.events("segment")
    once = [each["message"] for each in events if each["accepted"] and not each["duplicate"]]
    assert sorted(str(each["messageId"]) for each in once if isinstance(each, dict)) == sorted(ids)
    stats = emulator.stats()
    assert stats.requests == {"/v1/batch": stats.faults + 100}
    assert (stats.accepted, stats.duplicates) == (10_000, len(events) - 10_000)
    assert 0 < len(events) - 10_000 < 100 * stats.faults


class _Fault(TypedDict, total=False):
    status: int
    body: str
    cut: Cut
    headers: dict[str, str | None]


FAULTS: list[_Fault] = [
    {"status": 500},
    {"cut": "before"},
    {"cut": "after"},
    {"cut": "head"},
    {"cut": "during"},
    {"status": 200, "body": "<h1>Bad gateway</h1>"},
    {"headers": {"Content-Length": "1000"}},
    {"headers": {"Content-Length": "5"}},
]
"""Ways to fail: before the batch is handled, and after it."""


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (401, "unauthorized", "Unauthorized"),
        (409, "server", "Conflict"),
        (500, "server", "Internal Server Error"),
        (503, "server", "Service Unavailable"),
        (460, "server", "Status 460"),
    ],
)
def test_failures_have_the_body_of_their_api(  # noqa: PLR0917  # three are fixtures
    status: int,
    kind: str,
    message: str,
    emulator: Emulator,
    tracking: httpx.Client,
    public: httpx.Client,
) -> None:
    """Segment: `code` and `message` of the Tracking API, the envelope of the Public API."""
    emulator.fault(status=status, times=2)
    tracked, read = tracking.post("track", json={}), public.get("/sources/abc123")
    code = message.lower().replace(" ", "_")
    assert (tracked.status_code, tracked.json()) == (status, {"code": code, "message": message})
    assert problem(status, read) == {"type": kind, "message": message}
    assert sent(emulator) == []


def test_a_reset_restores_the_seed(
    emulator: Emulator, segment: SegmentEmulator, tracking: httpx.Client, public: httpx.Client
) -> None:
    """Ours: data, events and message ids are those of a new emulator."""
    before = public.get("/sources").json()
    message: JsonObject = {"userId": "u", "messageId": "m-1"}
    tracking.post("identify", json=message)
    segment.sources[0]["name"] = "Changed"
    segment.sources.pop()
    segment.workspace["name"] = "Changed"
    emulator.reset()
    assert sent(emulator) == []
    assert public.get("/sources").json() == before
    assert public.get("/").json()["data"]["workspace"]["name"] == "My Workspace"
    tracking.post("identify", json=message)
    assert sent(emulator) == [event("identify", message)]
