"""PostHog's emulator: as strict as its capture service and its private API, and no stricter."""

import base64
import contextlib
import gzip
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from kosmo_lua.emulator import Emulator
from kosmo_lua.emulator.faults import Cut
from kosmo_lua.values import Json, JsonObject
from kosmo_posthog.emulator import PERSONAL_API_KEY, PROJECT_API_KEY, PostHogEmulator

TLS = ssl.create_default_context()
"""Unused, but httpx wants one for every client, and making it takes 40 ms."""

KEY: JsonObject = {"api_key": PROJECT_API_KEY}
EVENT: JsonObject = {"event": "e", "distinct_id": "u"}
FIRST = "/api/projects/1/"


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    """Serve PostHog and Segment from one address, as `kosmo emulator` does."""
    services = {
        "posthog": "kosmo_posthog.emulator:PostHogEmulator",
        "segment": "kosmo_segment.emulator:SegmentEmulator",
    }
    with Emulator(services) as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    """Give them as new."""
    running.reset()
    return running


@pytest.fixture
def posthog(emulator: Emulator) -> PostHogEmulator:
    """Give the emulated PostHog, to change its data."""
    service = emulator.service("posthog")
    assert isinstance(service, PostHogEmulator)
    return service


@pytest.fixture
def capture(emulator: Emulator) -> Iterator[httpx.Client]:
    """Talk to the capture API, which wants no header."""
    with httpx.Client(base_url=emulator.url, verify=TLS) as client:
        yield client


@pytest.fixture
def api(emulator: Emulator) -> Iterator[httpx.Client]:
    """Talk to the private API with the personal key."""
    headers = {"Authorization": f"Bearer {PERSONAL_API_KEY}"}
    with httpx.Client(base_url=emulator.url, headers=headers, verify=TLS) as client:
        yield client


def recorded(emulator: Emulator) -> list[JsonObject]:
    """Give what was recorded, without the time of receipt."""
    return [
        {name: value for name, value in event.items() if name != "received_at"}
        for event in emulator.events("posthog")
    ]


def event(message: Json, path: str = "/i/v0/e/", **other: Json) -> JsonObject:
    """Describe an event as it is recorded."""
    return {
        "integration": "posthog",
        "path": path,
        "type": "capture",
        "api_key": PROJECT_API_KEY,
        "accepted": True,
        "reason": None,
        "duplicate": False,
        "message": message,
        **other,
    }


def listed(api: httpx.Client, **query: str) -> list[JsonObject]:
    """List events since the beginning."""
    rows: list[JsonObject] = api.get(
        f"{FIRST}events/", params={"after": "2020-01-01T00:00:00Z", **query}
    ).json()["results"]
    return rows


# Capture


PATHS = [
    path + slash
    for path in ("/i/v0/e", "/e", "/capture", "/track", "/batch")
    for slash in ("", "/")
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "count"),
    [
        (KEY | EVENT, 1),
        ({"token": PROJECT_API_KEY} | EVENT, 1),
        (EVENT | {"properties": {"token": PROJECT_API_KEY}}, 1),
        ([KEY | EVENT, KEY | EVENT], 2),
        (KEY | {"batch": [EVENT, EVENT], "historical_migration": True}, 2),
        ({"batch": [KEY | EVENT]}, 1),
    ],
)
def test_one_event_or_many_are_captured(
    path: str, body: Json, count: int, capture: httpx.Client, emulator: Emulator
) -> None:
    """PostHog: any path takes any form; the key is beside the event, the batch or in the properties."""
    answer = capture.post(path, json=body)
    assert (answer.status_code, answer.json()) == (200, {"status": "Ok"})
    own = body if isinstance(body, dict) else {}
    message = EVENT | {k: v for k, v in own.items() if k == "properties"}
    assert recorded(emulator) == [event(message, path)] * count


def test_a_captured_event_is_listed_as_it_was(capture: httpx.Client, api: httpx.Client) -> None:
    """PostHog: the capture service and the private API are of one project."""
    body: JsonObject = {
        "uuid": "0196F1C2-0000-7000-8000-00000000AAAA",
        "timestamp": "2026-04-10T12:00:00+02:00",
        "properties": {"a": [1, {"b": None}], "ü": "🚂"},
        "$set": {"email": "u@example.com"},
    }
    capture.post("/i/v0/e/", json=KEY | EVENT | body)
    expected: JsonObject = {
        "id": "0196f1c2-0000-7000-8000-00000000aaaa",
        "distinct_id": "u",
        "properties": {**body["properties"], "$set": {"email": "u@example.com"}},  # type: ignore[dict-item]  # an object
        "event": "e",
        "timestamp": "2026-04-10T10:00:00+00:00",
        "person": None,
        "elements": [],
        "elements_chain": "",
    }
    assert listed(api, event="e") == [expected]
    assert api.get(f"{FIRST}events/{body['uuid']}/").json() == expected


@pytest.mark.parametrize("given", [None, "2026-04-10T10:00:00", "2026-04-10"])
def test_the_time_of_an_event_may_be_left_out_or_lack_a_zone(
    given: str | None, capture: httpx.Client, api: httpx.Client
) -> None:
    """PostHog: then it is the time of receipt, or UTC."""
    capture.post("/i/v0/e/", json=KEY | EVENT | ({"timestamp": given} if given else {}))
    time = datetime.fromisoformat(str(listed(api, event="e")[0]["timestamp"]))
    wanted = datetime.fromisoformat(given).replace(tzinfo=UTC) if given else datetime.now(UTC)
    assert abs(time - wanted) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("fields", "distinct_id"),
    [
        ({"distinct_id": 42}, "42"),
        ({"distinct_id": {"a": 1}}, '{"a": 1}'),
        ({"distinct_id": None, "properties": {"distinct_id": "inside"}}, "inside"),
        ({"distinct_id": "x" * 201}, "x" * 200),
    ],
)
def test_a_distinct_id_is_made_a_short_text(
    fields: JsonObject, distinct_id: str, capture: httpx.Client, api: httpx.Client
) -> None:
    """PostHog: any value that is not null, cut to 200 characters."""
    assert capture.post("/i/v0/e/", json=KEY | EVENT | fields).is_success
    assert [each["distinct_id"] for each in listed(api, event="e")] == [distinct_id]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("phx_emulator", "API key is not valid: personal_api_key"),
        (" \n", "API key is not valid: empty"),
        ("phc_" + "x" * 61, "API key is not valid: too_long"),
        ("phc_ü", "API key is not valid: not_ascii"),
        ("phc_\0", "API key is not valid: null_byte"),
        (None, "event submitted without an api_key"),
        ("", "event submitted without an api_key"),
        (5, "event submitted without an api_key"),
    ],
)
def test_the_form_of_a_key_is_checked(
    key: Json, words: str, capture: httpx.Client, emulator: Emulator
) -> None:
    """PostHog: 401 in plain text; a personal key never captures."""
    answer = capture.post("/i/v0/e/", json={"api_key": key} | EVENT)
    assert (answer.status_code, answer.text) == (401, words)
    assert answer.headers["content-type"].startswith("text/plain")
    assert recorded(emulator) == []


def test_an_unknown_key_is_accepted_and_its_event_lost(
    capture: httpx.Client, api: httpx.Client, emulator: Emulator
) -> None:
    """PostHog: whether a project has the key is not checked; spaces around it are dropped."""
    assert capture.post("/e/", json={"api_key": "phc_other"} | EVENT).json() == {"status": "Ok"}
    assert capture.post("/e/", json={"api_key": f" {PROJECT_API_KEY}\n"} | EVENT).is_success
    reason = "no project has this API key"
    assert recorded(emulator) == [
        event(EVENT, "/e/", api_key="phc_other", accepted=False, reason=reason),
        event(EVENT, "/e/"),
    ]
    assert len(listed(api, event="e")) == 1


def nested(depth: int) -> bytes:
    """Write an object of so many levels."""
    return b'{"a":' * depth + b"1" + b"}" * depth


PARSE = "failed to parse request: "


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "request missing data payload"),
        (b"{", f"{PARSE}invalid JSON"),
        (b'{"a": NaN}', f"{PARSE}invalid JSON"),
        (b'{"a": 1e999}', f"{PARSE}invalid JSON"),
        (b'{"a": "\xff"}', f"{PARSE}invalid JSON"),
        (nested(100_000), f"{PARSE}invalid JSON"),
        (nested(129), f"{PARSE}recursion limit exceeded"),
        (b'"text"', f"{PARSE}data did not match any variant"),
        (b'{"batch": {}}', f"{PARSE}data did not match any variant"),
        (b"[]", "request holds no event"),
        (b'{"api_key": "phc_x", "batch": []}', "request holds no event"),
        (b"[1]", f"{PARSE}an event must be an object"),
        (b"{}", f"{PARSE}missing field `event`"),
        (b'{"event": 5}', f"{PARSE}missing field `event`"),
        (b'{"event": "e", "properties": [1]}', f"{PARSE}invalid type, expected a map"),
        (b'{"api_key": "k", "event": ""}', "event submitted with an empty event name"),
        (b'{"api_key": "k", "event": "e"}', "event submitted without a distinct_id"),
        (
            b'{"api_key": "k", "event": "e", "distinct_id": ""}',
            "event submitted without a distinct_id",
        ),
        (
            b'{"api_key": "k", "event": "e", "distinct_id": "u", "uuid": "5"}',
            f"{PARSE}invalid UUID",
        ),
        (
            b'{"api_key": "k", "event": "e", "distinct_id": "u", "timestamp": "soon"}',
            "event submitted with invalid timestamp",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_event_is_a_bad_request(
    content: bytes, words: str, capture: httpx.Client, emulator: Emulator
) -> None:
    """PostHog: 400 in plain text."""
    answer = capture.post("/i/v0/e/", content=content)
    assert (answer.status_code, answer.text) == (400, words)
    assert recorded(emulator) == []


def test_a_batch_is_taken_whole_or_not_at_all(capture: httpx.Client, emulator: Emulator) -> None:
    """PostHog: one bad event, or two keys, refuse them all."""
    bad = capture.post("/batch/", json=KEY | {"batch": [EVENT, {"event": "e"}]})
    mixed = capture.post("/batch/", json=KEY | {"batch": [EVENT, {"api_key": "k"} | EVENT]})
    assert [(answer.status_code, answer.text) for answer in (bad, mixed)] == [
        (400, "event submitted without a distinct_id"),
        (401, "batch submitted with inconsistent api_key values"),
    ]
    assert recorded(emulator) == []


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/i/v0/e/", 1_000_000, 200),
        ("/i/v0/e/", 1_000_001, 413),
        ("/i/v0/e/", 2 * 1024 * 1024 + 1, 413),
        ("/batch/", 20 * 1024 * 1024 + 1, 413),
    ],
)
def test_an_event_is_at_most_a_megabyte(
    path: str, size: int, status: int, capture: httpx.Client, emulator: Emulator
) -> None:
    """PostHog: 413 for an event of more than 1,000,000 bytes, or a body of 2 or 20 MB."""
    text = json.dumps(KEY | EVENT | {"properties": {"a": ""}}, separators=(",", ":"))
    content = text.replace('""', f'"{"x" * (size - len(text))}"').encode()
    assert len(content) == size
    answer = capture.post(path, content=content)
    assert answer.status_code == status
    assert len(recorded(emulator)) == (1 if status == 200 else 0)


def test_a_batch_may_be_more_than_two_megabytes(capture: httpx.Client, emulator: Emulator) -> None:
    """PostHog: 20 MB for a batch."""
    big = EVENT | {"properties": {"a": "x" * 900_000}}
    assert capture.post("/batch/", json=KEY | {"batch": [big] * 3}).is_success
    assert capture.post("/e/", json=KEY | {"batch": [big] * 3}).status_code == 413
    assert len(recorded(emulator)) == 3


@pytest.mark.parametrize("headers", [{"Content-Encoding": "gzip"}, {}])
def test_a_compressed_body_is_taken(
    headers: dict[str, str], capture: httpx.Client, emulator: Emulator
) -> None:
    """PostHog: by its header, by the query, or by how it begins."""
    content = gzip.compress(json.dumps(KEY | EVENT).encode())
    query = {} if headers else {"compression": "gzip"}
    assert capture.post("/e/", content=content, headers=headers, params=query).is_success
    assert recorded(emulator) == [event(EVENT, "/e/")]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{}", 400),
        (gzip.compress(b"{}", mtime=0)[:-4], 400),
        (b"\x1f\x8b nothing", 400),
        (gzip.compress(b"x" * (2 * 1024 * 1024 + 1), mtime=0), 413),
    ],
)
def test_a_body_that_is_no_gzip_or_too_much_is_refused(
    content: bytes, status: int, capture: httpx.Client
) -> None:
    """PostHog: the limit is that of the decompressed body."""
    answer = capture.post("/e/", content=content, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == status


def test_an_event_that_comes_again_is_merged(
    capture: httpx.Client, api: httpx.Client, emulator: Emulator
) -> None:
    """PostHog: the same UUID, name, person and day is the same event; without a UUID it is another."""
    base = KEY | EVENT | {"uuid": "0196f1c2-0000-7000-8000-00000000aaaa"}
    times = ("2026-04-10T01:00:00Z", "2026-04-10T23:00:00Z", "2026-04-11T01:00:00Z")
    for time in times:
        capture.post("/e/", json=base | {"timestamp": time})
    capture.post("/e/", json=base | {"timestamp": times[0], "event": "other"})
    capture.post("/e/", json=KEY | EVENT | {"timestamp": times[0]})
    capture.post("/e/", json=KEY | EVENT | {"timestamp": times[0]})
    duplicates = [each["duplicate"] for each in recorded(emulator)]
    assert duplicates == [False, True, False, False, False, False]
    assert len(listed(api, distinct_id="u")) == 5


def test_captured_properties_make_a_person(capture: httpx.Client, api: httpx.Client) -> None:
    """PostHog: `$set` sets, `$set_once` only what is not there; some events make no person."""

    def send(fields: JsonObject) -> None:
        capture.post("/e/", json=KEY | EVENT | fields)

    send({"$set": {"plan": "pro"}, "$set_once": {"plan": "free", "first": 1}})
    send({"properties": {"$set": {"email": "u@example.com"}, "$set_once": {"first": 2}}})
    send({"distinct_id": "hidden", "properties": {"$process_person_profile": False}})
    send({"distinct_id": "anonymous"})
    rows = api.get(f"{FIRST}persons/", params={"distinct_id": "u"}).json()["results"]
    assert [(row["name"], row["properties"]) for row in rows] == [
        ("u@example.com", {"plan": "pro", "first": 1, "email": "u@example.com"})
    ]
    newest = api.get(f"{FIRST}persons/").json()["results"]
    assert [row["name"] for row in newest[:2]] == ["anonymous", "u@example.com"]
    assert [row["is_identified"] for row in newest[:2]] == [False, True]
    assert len(newest) == 5


def test_capture_answers_other_methods_plainly(capture: httpx.Client) -> None:
    """Ours: 405, as any HTTP service."""
    assert capture.get("/i/v0/e/").status_code == 405


# Keys, projects, scopes


def problem(answer: httpx.Response) -> tuple[int, str, str, str | None]:
    """Give what an error of the private API says."""
    body = answer.json()
    assert [*body] == ["type", "code", "detail", "attr"]
    return answer.status_code, body["code"], body["detail"], body["attr"]


EVERYTHING = [
    ("GET", "/api/personal_api_keys/@current/"),
    ("GET", "/api/users/@me/"),
    *(
        ("GET", f"{FIRST}{kind}/{identifier}")
        for kind in ("events", "persons", "feature_flags", "insights", "dashboards", "cohorts")
        for identifier in ("", "1/")
    ),
    ("POST", f"{FIRST}feature_flags/"),
    ("PATCH", f"{FIRST}feature_flags/2/"),
    ("DELETE", f"{FIRST}feature_flags/2/"),
]


@pytest.mark.parametrize(("method", "path"), EVERYTHING)
def test_the_private_api_wants_a_personal_key(
    method: str, path: str, capture: httpx.Client, emulator: Emulator
) -> None:
    """PostHog: 401 without a key, and for a key that it does not know, such as the project's."""
    missing = "Authentication credentials were not provided."
    wrong = "Personal API key found in request Authorization header is invalid."
    basic = base64.b64encode(PERSONAL_API_KEY.encode()).decode()
    for authorization, code, words in (
        ("", "not_authenticated", missing),
        (f"Basic {basic}", "not_authenticated", missing),
        ("Bearer phx_other", "authentication_failed", wrong),
        (f"Bearer {PROJECT_API_KEY}", "authentication_failed", wrong),
    ):
        answer = capture.request(method, path, headers={"Authorization": authorization}, json={})
        assert problem(answer) == (401, code, words, None)
        assert answer.json()["type"] == "authentication_error"
    assert recorded(emulator) == []


@pytest.mark.parametrize(
    ("kind", "scope"),
    [
        ("events", "query"),
        ("persons", "person"),
        ("feature_flags", "feature_flag"),
        ("insights", "insight"),
        ("dashboards", "dashboard"),
        ("cohorts", "cohort"),
    ],
)
def test_a_key_needs_the_scope(
    kind: str, scope: str, api: httpx.Client, posthog: PostHogEmulator
) -> None:
    """PostHog: 403 names it; to write implies to read, and not the reverse."""
    key = posthog.state.keys[PERSONAL_API_KEY]
    path = f"{FIRST}{kind}/"
    key["scopes"] = ["other:read"]
    expected = (403, "permission_denied", f"API key missing required scope '{scope}:read'", None)
    assert problem(api.get(path)) == expected
    for scopes in ([f"{scope}:read"], [f"{scope}:write"], ["*"]):
        key["scopes"] = [*scopes]
        assert api.get(path).status_code == 200
    key["scopes"] = [f"{scope}:read"]
    words = f"API key missing required scope '{scope}:write'"
    assert problem(api.post(path, json={})) == (403, "permission_denied", words, None)


def test_a_key_can_be_limited_to_projects(api: httpx.Client, posthog: PostHogEmulator) -> None:
    """PostHog: 404 for a project that there is not, 403 for another one, and for `@current` the same."""
    other = "API key does not have access to the requested project: ID 2."
    assert problem(api.get("/api/projects/2/cohorts/")) == (403, "permission_denied", other, None)
    for unknown in ("3", "first", "-1"):
        answer = api.get(f"/api/projects/{unknown}/cohorts/")
        assert problem(answer) == (404, "not_found", "Project not found.", None)
    assert api.get("/api/projects/@current/cohorts/").json()["count"] == 2
    posthog.state.current = 2
    assert api.get("/api/projects/@current/cohorts/").status_code == 403
    posthog.state.keys[PERSONAL_API_KEY]["scoped_teams"] = []
    assert api.get("/api/projects/@current/cohorts/").json()["count"] == 0
    assert api.get("/api/projects/2/events/").json() == {"next": None, "results": []}


def test_a_key_and_its_owner_are_told(api: httpx.Client, posthog: PostHogEmulator) -> None:
    """PostHog: any key may ask about itself; the user needs a scope."""
    key = api.get("/api/personal_api_keys/@current/").json()
    assert (key["scopes"], key["scoped_teams"], key["value"]) == (["*"], [1], None)
    assert api.get("/api/users/@me/").json()["email"] == "jo@example.com"
    posthog.state.keys[PERSONAL_API_KEY]["scopes"] = ["cohort:read"]
    assert api.get("/api/personal_api_keys/@current/").status_code == 200
    assert problem(api.get("/api/users/@me/"))[2] == "API key missing required scope 'user:read'"


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/api/", 404, "Endpoint not found."),
        ("GET", "/api/event/", 404, "Endpoint not found."),
        ("GET", f"{FIRST}surveys/", 404, "Endpoint not found."),
        ("GET", f"{FIRST}cohorts/1/", 404, "Not found."),
        ("POST", "/api/personal_api_keys/@current/", 405, 'Method "POST" not allowed.'),
        ("POST", f"{FIRST}dashboards/", 405, 'Method "POST" not allowed.'),
        ("PUT", f"{FIRST}feature_flags/2/", 405, 'Method "PUT" not allowed.'),
        ("DELETE", f"{FIRST}feature_flags/", 405, 'Method "DELETE" not allowed.'),
    ],
)
def test_other_paths_and_methods_are_refused(
    method: str, path: str, status: int, words: str, api: httpx.Client
) -> None:
    """PostHog: 404 and 405 of the same form."""
    code = {404: "not_found", 405: "method_not_allowed"}[status]
    assert problem(api.request(method, path)) == (status, code, words, None)


def test_the_slash_at_the_end_may_be_left_out(api: httpx.Client) -> None:
    """PostHog: both work."""
    assert (
        api.get(f"{FIRST}cohorts").json()["results"]
        == api.get(f"{FIRST}cohorts/").json()["results"]
    )
    assert api.get(f"{FIRST}dashboards/1").json()["id"] == 1


# Lists


def test_lists_come_in_pages_with_absolute_addresses(
    api: httpx.Client, emulator: Emulator
) -> None:
    """PostHog: `count`, `next` and `previous`; the other parameters stay."""
    path, ids, previous = f"{FIRST}feature_flags/?limit=2&search=n", [], []
    url: str | None = emulator.url + path
    while url:
        assert url.startswith(f"{emulator.url}{FIRST}feature_flags/?")
        page = api.get(url).json()
        assert [*page] == ["count", "next", "previous", "results"]
        assert page["count"] == 4
        ids.append([row["id"] for row in page["results"]])
        previous.append(page["previous"])
        url = page["next"]
    assert ids == [[4, 3], [2, 1]]
    assert previous == [None, f"{emulator.url}{FIRST}feature_flags/?limit=2&search=n&offset=0"]
    assert api.get(f"{FIRST}feature_flags/?offset=9").json()["results"] == []
    assert len(api.get(f"{FIRST}feature_flags/?limit=0&offset=x").json()["results"]) == 4


def test_persons_are_not_counted(api: httpx.Client) -> None:
    """PostHog: `next` after every full page, so that the last may be empty."""
    page = api.get(f"{FIRST}persons/?limit=3").json()
    assert [*page] == ["results", "next", "previous"]
    rest = api.get(page["next"]).json()
    assert (rest["results"], rest["next"]) == ([], None)
    assert rest["previous"].endswith("limit=3&offset=0")


def names(api: httpx.Client, path: str) -> list[str]:
    """Give the names of the rows of a list."""
    return [row["name"] for row in api.get(FIRST + path).json()["results"]]


def test_persons_are_searched(api: httpx.Client) -> None:
    """PostHog: a part of the email or a whole distinct ID; the latest come first."""
    assert names(api, "persons/") == ["anonymous-1", "sam@example.com", "jane@example.com"]
    assert names(api, "persons/?search=JANE") == ["jane@example.com"]
    assert names(api, "persons/?search=user-456") == ["sam@example.com"]
    assert names(api, "persons/?search=user") == []
    assert names(api, "persons/?email=jane@example.com") == ["jane@example.com"]
    assert names(api, "persons/?email=jane") == []


def test_a_person_is_found_by_uuid_or_number_only(api: httpx.Client) -> None:
    """PostHog: it says where distinct IDs are looked up."""
    by_number = api.get(f"{FIRST}persons/1/").json()
    assert api.get(f"{FIRST}persons/{by_number['uuid'].upper()}/").json() == by_number
    for missing in ("0", "9", "0196f1c2-0000-7000-8000-000000000999"):
        assert problem(api.get(f"{FIRST}persons/{missing}/")) == (
            404,
            "not_found",
            "Not found.",
            None,
        )
    status, _, words, _ = problem(api.get(f"{FIRST}persons/user-123/"))
    assert status == 400
    assert words.endswith("please use /persons?distinct_id=user-123 instead.")


def test_events_of_the_last_day_are_listed_by_default(
    api: httpx.Client, capture: httpx.Client
) -> None:
    """PostHog: `after` is 24 hours ago and `before` in five seconds, unless the request says otherwise."""
    now = datetime.now(UTC)
    for hours in (-1, 1, 23, 25):
        time = (now - timedelta(hours=hours)).isoformat()
        capture.post("/e/", json=KEY | EVENT | {"event": f"{hours}", "timestamp": time})

    def found(**query: str) -> list[str]:
        page = api.get(f"{FIRST}events/", params={"distinct_id": "u", **query}).json()
        return [row["event"] for row in page["results"]]

    assert found() == ["1", "23"]
    assert found(after="-2d") == ["1", "23", "25"]
    assert found(after="-24h", before="-2h") == ["23"]
    assert found(after="-1w", before="-1d") == ["25"]
    assert found(before=(now + timedelta(hours=2)).isoformat()) == ["-1", "1"]
    assert found(after="anything") == []


def test_events_are_filtered_and_have_their_person_on_request(api: httpx.Client) -> None:
    """PostHog: by name, distinct ID and person; the latest first."""
    person = "0196f1c2-0000-7000-8000-000000000102"
    assert [row["event"] for row in listed(api, distinct_id="user-123")] == [
        "purchase",
        "$pageview",
        "$pageview",
        "$pageview",
        "signup",
    ]
    rows = listed(api, person_id=person, include_person="true", event="$pageview")
    assert [row["timestamp"] for row in rows] == [
        "2026-04-03T14:20:00+00:00",
        "2026-03-20T12:00:00+00:00",
    ]
    assert rows[0]["person"] == {
        "is_identified": True,
        "properties": {"email": "sam@example.com", "plan": "free"},
        "distinct_ids": ["user-456"],
    }
    assert listed(api, person_id="nobody") == []


def test_events_are_paged_by_time_and_keep_the_offset(api: httpx.Client) -> None:
    """PostHog: neither count nor previous; its `next` would skip rows again after an offset."""
    query = {"after": "2026-04-01T00:00:00Z", "event": "$pageview", "limit": "2", "offset": "1"}
    page = api.get(f"{FIRST}events/", params=query).json()
    assert [*page] == ["next", "results"]
    assert "offset=1" in page["next"]
    assert page["next"].endswith("before=2026-04-03T14%3A20%3A00%2B00%3A00")
    assert [row["distinct_id"] for row in api.get(page["next"]).json()["results"]] == ["user-123"]


def test_a_list_of_events_has_its_limits(api: httpx.Client, posthog: PostHogEmulator) -> None:
    """PostHog: a limit above 1,000 is cut, one that is no number is a server error, and so on."""
    project = posthog.state.projects[1]
    project.events = [{**project.events[0], "id": str(number)} for number in range(1001)]
    assert len(listed(api, limit="5000")) == 1000
    assert len(listed(api)) == 100
    for text in ("x", "-1"):
        answer = api.get(f"{FIRST}events/?limit={text}")
        assert problem(answer) == (500, "error", "A server error occurred.", None)
    words = "Offset is deprecated. Max supported offset value is 50000"
    answer = api.get(f"{FIRST}events/?offset=50001")
    assert problem(answer) == (400, "invalid_input", words, None)


def test_times_are_kept_in_milliseconds(capture: httpx.Client, api: httpx.Client) -> None:
    """PostHog: ingestion drops the rest, so what came within one millisecond has one time."""
    for micro in ("123456", "123999"):
        time = f"2026-05-01T12:00:00.{micro}+02:00"
        capture.post("/e/", json=KEY | EVENT | {"timestamp": time})
    assert [row["timestamp"] for row in listed(api, distinct_id="u")] == [
        "2026-05-01T10:00:00.123000+00:00"
    ] * 2


def test_events_of_the_time_itself_are_not_before_it(
    capture: httpx.Client, api: httpx.Client
) -> None:
    """PostHog: `before` and `after` are exclusive, so that `next` passes over what has the same time."""
    for name, second in (("a", 1), ("b", 2), ("c", 2), ("d", 3)):
        time = f"2026-05-01T12:00:0{second}.500Z"
        capture.post("/e/", json=KEY | EVENT | {"event": name, "timestamp": time})
    first, third = (f"2026-05-01T12:00:0{second}.500000+00:00" for second in (1, 3))
    query = {"distinct_id": "u", "before": third}

    def found(page: dict[str, Any]) -> list[str]:
        return [row["event"] for row in page["results"]]

    assert sorted(found(api.get(f"{FIRST}events/", params=query | {"after": first}).json())) == [
        "b",
        "c",
    ]
    page = api.get(f"{FIRST}events/", params=query | {"limit": "1", "after": "-7d"}).json()
    assert found(page) == []
    page = api.get(f"{FIRST}events/", params=query | {"limit": "1"}).json()
    assert found(page) in (["b"], ["c"])
    assert found(api.get(page["next"]).json()) == ["a"]
    same = page["results"][0]["timestamp"].replace(".500000", ".500001")
    again = api.get(f"{FIRST}events/", params=query | {"before": same}).json()
    assert sorted(found(again)) == ["a", "b", "c"]


def test_a_page_of_events_may_be_short_and_yet_not_the_last(
    capture: httpx.Client, api: httpx.Client
) -> None:
    """PostHog: it looks at the last minute, then the last five, ...; half a page is enough for it."""
    end = datetime(2026, 5, 1, 12, tzinfo=UTC)
    for minute in range(10):
        time = (end - timedelta(minutes=minute, seconds=1)).isoformat()
        capture.post("/e/", json=KEY | EVENT | {"event": f"{minute}", "timestamp": time})
    query = {"after": "2026-04-01T00:00:00Z", "distinct_id": "u", "limit": "10"}
    page = api.get(f"{FIRST}events/", params=query | {"before": end.isoformat()}).json()
    assert ([row["event"] for row in page["results"]], page["next"]) == ([*"01234"], None)
    last = page["results"][-1]["timestamp"]
    page = api.get(f"{FIRST}events/", params=query | {"before": last}).json()
    assert [row["event"] for row in page["results"]] == [*"56789"]


def test_persons_of_10000_events_come_at_once_and_in_pages(
    capture: httpx.Client, api: httpx.Client, posthog: PostHogEmulator
) -> None:
    """Ours: one for each distinct ID; PostHog: a full last page is followed by an empty one."""
    for start in range(0, 10_000, 2500):
        batch = [
            EVENT
            | {"distinct_id": f"user-{start + number}", "properties": {"$set": {"n": number}}}
            for number in range(2500)
        ]
        capture.post("/batch/", json=KEY | {"batch": batch})
    project = posthog.state.projects[1]
    assert len(project.persons) == 10_000 + 1  # two of the seed's three have other IDs
    project.persons = project.persons[-5000:]
    pages = [api.get(f"{FIRST}persons/?limit=1000").json()]
    while pages[-1]["next"]:
        pages.append(api.get(pages[-1]["next"]).json())
    assert [len(page["results"]) for page in pages] == [1000] * 5 + [0]
    assert len({row["uuid"] for page in pages for row in page["results"]}) == 5000
    assert project.persons[0]["properties"] == {"n": 0}


def test_an_event_is_found_by_its_uuid(api: httpx.Client) -> None:
    """PostHog: its own form of error for what is no UUID."""
    answer = api.get(f"{FIRST}events/example/")
    body = {"detail": "Invalid UUID", "code": "invalid", "type": "validation_error"}
    assert (answer.status_code, answer.json()) == (400, body)
    missing = "0196f1c2-0000-7000-8000-000000000999"
    words = f"No events exist for event UUID {missing}"
    answer = api.get(f"{FIRST}events/{missing}/")
    assert problem(answer) == (404, "not_found", words, None)


def test_insights_are_filtered(api: httpx.Client) -> None:
    """PostHog: by `insight`, and not by `type`; drafts come too; `basic` has no results."""

    def ids(**query: str) -> list[int]:
        page = api.get(f"{FIRST}insights/", params=query).json()
        return [row["id"] for row in page["results"]]

    assert ids() == ids(type="TRENDS") == [1, 2, 3]
    assert ids(saved="true") == [1, 2]
    assert ids(insight="TRENDS") == [1]
    assert ids(short_id="jK9mN2pQ") == [2]
    assert "result" in api.get(f"{FIRST}insights/").json()["results"][0]
    assert "result" not in api.get(f"{FIRST}insights/?basic=true").json()["results"][0]
    assert api.get(f"{FIRST}insights/aB3dE6gH/").json() == api.get(f"{FIRST}insights/1/").json()
    assert problem(api.get(f"{FIRST}insights/9/")) == (404, "not_found", "Not found.", None)


def test_a_dashboard_has_its_insights(api: httpx.Client) -> None:
    """PostHog: one has tiles, the list has not."""
    assert "tiles" not in api.get(f"{FIRST}dashboards/").json()["results"][0]
    tiles = api.get(f"{FIRST}dashboards/1/").json()["tiles"]
    assert [tile["insight"]["id"] for tile in tiles] == [1, 2, 3]
    assert api.get(f"{FIRST}dashboards/2/").json()["tiles"] == []
    assert problem(api.get(f"{FIRST}dashboards/9/")) == (404, "not_found", "Not found.", None)


# Feature flags


FLAGS = f"{FIRST}feature_flags/"
HALF: JsonObject = {"groups": [{"properties": [], "rollout_percentage": 50}]}


def test_a_flag_is_created_and_changed(api: httpx.Client, emulator: Emulator) -> None:
    """PostHog: 201, then 200 with the next version; what it does not know it ignores."""
    body: JsonObject = {"key": "new", "name": "New", "filters": HALF, "rollout_percentage": 5}
    made = api.post(FLAGS, json=body)
    flag = made.json()
    assert (made.status_code, flag["id"], flag["active"], flag["version"]) == (201, 5, True, 1)
    assert flag["filters"] == HALF
    assert "rollout_percentage" not in flag
    change: JsonObject = {"active": False, "filters": {"payloads": {"true": "1"}}}
    changed = api.patch(f"{FLAGS}5/", json=change).json()
    assert (changed["active"], changed["version"], changed["filters"]) == (False, 2, HALF)
    assert api.get(f"{FLAGS}5/").json() == changed
    assert [row["id"] for row in api.get(f"{FLAGS}?active=true").json()["results"]] == [3, 2, 1]
    assert [(each["type"], each["message"]) for each in recorded(emulator)] == [
        ("create_feature_flag", body),
        ("update_feature_flag", change),
    ]


def filters(**group: Json) -> JsonObject:
    """Write the body of a flag with one condition set."""
    return {"key": "new", "filters": {"groups": [group]}}


def variants(*percentages: Json) -> JsonObject:
    """Write the body of a flag with variants."""
    rows: list[Json] = [
        {"key": f"v{n}", "rollout_percentage": p} for n, p in enumerate(percentages)
    ]
    return {"key": "new", "filters": {"groups": [{}], "multivariate": {"variants": rows}}}


PERSONS = (
    "Filters are not valid (person-aggregated conditions can only use person, cohort, and flag"
    " properties)"
)


@pytest.mark.parametrize(
    ("body", "code", "words", "attr"),
    [
        ({}, "required", "This field is required.", "key"),
        ({"key": ""}, "blank", "This field may not be blank.", "key"),
        (
            {"key": "a b"},
            "invalid_key",
            "Only letters, numbers, hyphens (-) & underscores (_) are allowed.",
            "key",
        ),
        (
            {"key": "x" * 401},
            "max_length",
            "Ensure this field has no more than 400 characters.",
            "key",
        ),
        ({"key": "new-search"}, "unique", "There is already a feature flag with this key.", "key"),
        ({"key": "new", "name": 5}, "invalid_input", "Not a valid string.", "name"),
        ({"key": "new", "active": "on"}, "invalid_input", "Must be a valid boolean.", "active"),
        (
            {"key": "new", "filters": []},
            "not_a_dict",
            'Expected a dictionary of items but got type "list".',
            "filters",
        ),
        (
            {"key": "new", "filters": {"groups": []}},
            "invalid_input",
            "Feature flags must have at least one condition set (group).",
            "filters",
        ),
        (
            {"key": "new", "filters": {}},
            "invalid_input",
            "Feature flags must have at least one condition set (group).",
            "filters",
        ),
        (
            {"key": "new", "filters": {"groups": {}}},
            "invalid_input",
            "groups must be a list of objects",
            "filters",
        ),
        (
            {"key": "new", "filters": {"groups": [{}], "payloads": []}},
            "invalid_input",
            "payloads must be an object",
            "filters",
        ),
        (
            filters(properties={}),
            "invalid_input",
            "groups[0].properties must be a list of objects",
            "filters",
        ),
        (filters(properties=[{"key": "k", "type": "event"}]), "invalid_input", PERSONS, "filters"),
        (
            filters(rollout_percentage=True),
            "invalid_input",
            "groups[0].rollout_percentage must be a number or null, got bool",
            "filters",
        ),
        (
            filters(rollout_percentage=101),
            "invalid_input",
            "groups[0].rollout_percentage must be between 0 and 100, got 101",
            "filters",
        ),
        (
            filters(variant="v9"),
            "invalid_input",
            "Filters are not valid (variant override does not exist)",
            "filters",
        ),
        (
            variants(50, 49),
            "invalid_input",
            "Invalid variant definitions: Variant rollout percentages must sum to 100.",
            "filters",
        ),
        (
            variants(100, None),
            "invalid_input",
            "multivariate.variants[1].rollout_percentage must be a number, got null",
            "filters",
        ),
        (
            {"key": "new", "filters": {"groups": [{}], "multivariate": {"variants": [1]}}},
            "invalid_input",
            "multivariate.variants must be a list of objects with a key",
            "filters",
        ),
    ],
)
def test_a_flag_that_is_not_valid_is_refused(  # noqa: PLR0917  # two are fixtures
    body: Any, code: str, words: str, attr: str, api: httpx.Client, emulator: Emulator
) -> None:
    """PostHog: 400 names the field."""
    assert problem(api.post(FLAGS, json=body)) == (400, code, words, attr)
    assert recorded(emulator) == []


def test_a_flag_may_have_variants_and_conditions_of_groups(api: httpx.Client) -> None:
    """PostHog: percentages that sum to 100; group properties where groups are aggregated."""
    assert api.post(FLAGS, json=variants(33.5, 66.5)).status_code == 201
    body = filters(aggregation_group_type_index=0, properties=[{"key": "k", "type": "group"}])
    assert api.post(FLAGS, json=body | {"key": "groups"}).status_code == 201
    assert api.post(FLAGS, json={"key": "bare"}).status_code == 201


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", nested(100_000)], ids=["", "{", "ff", "deep"]
)
def test_a_flag_that_is_no_json_is_refused(content: bytes, api: httpx.Client) -> None:
    """PostHog: 400, and not a server error."""
    status, code, _, _ = problem(api.post(FLAGS, content=content))
    assert (status, code) == (400, "parse_error")
    assert problem(api.patch(f"{FLAGS}2/", json=[1]))[::3] == (400, "non_field_errors")


def test_a_flag_cannot_be_deleted_but_marked(api: httpx.Client) -> None:
    """PostHog: DELETE is 405 without a word; a marked flag is gone until it is unmarked, its key free."""
    answer = api.delete(f"{FLAGS}2/")
    assert (answer.status_code, answer.content) == (405, b"")
    assert api.patch(f"{FLAGS}2/", json={"deleted": True}).json()["deleted"] is True
    assert api.get(FLAGS).json()["count"] == 3
    for answer in (api.get(f"{FLAGS}2/"), api.patch(f"{FLAGS}2/", json={"active": True})):
        assert problem(answer) == (404, "not_found", "Not found.", None)
    assert api.post(FLAGS, json={"key": "new-search"}).status_code == 201
    assert (
        problem(api.patch(f"{FLAGS}2/", json={"deleted": False, "key": "new-search"}))[1]
        == "unique"
    )
    assert api.patch(f"{FLAGS}2/", json={"deleted": False, "key": "old-search"}).status_code == 200
    assert api.get(f"{FLAGS}2/").json()["key"] == "old-search"
    assert problem(api.patch(f"{FLAGS}new-search/", json={}))[0] == 404


@pytest.mark.parametrize("cut", ["after", "head", "during"])
def test_a_flag_exists_although_the_answer_was_lost(
    cut: Cut, emulator: Emulator, api: httpx.Client
) -> None:
    """PostHog: a second POST is refused as not unique, and a search finds what the first one made."""
    emulator.fault(cut=cut, method="POST")
    body: JsonObject = {"key": "beta", "name": "Beta", "filters": HALF}
    with pytest.raises(httpx.TransportError):
        api.post(FLAGS, json=body)
    words = "There is already a feature flag with this key."
    assert problem(api.post(FLAGS, json=body)) == (400, "unique", words, "key")
    found = api.get(FLAGS, params={"search": "beta"}).json()
    assert (found["count"], found["results"][0]["key"], found["results"][0]["filters"]) == (
        1,
        "beta",
        body["filters"],
    )


@pytest.mark.parametrize(
    ("version", "original", "change", "status"),
    [
        (1, {"name": "New search"}, {"name": "Third"}, 409),
        (1, {"name": "New search"}, {"name": "Second"}, 200),
        (1, {"name": "New search"}, {"name": "New search"}, 200),
        (1, {"active": True}, {"active": False}, 200),
        (1, None, {"name": "Third"}, 200),
        (2, {"name": "New search"}, {"name": "Third"}, 200),
        (None, {"name": "New search"}, {"name": "Third"}, 200),
    ],
)
def test_a_stale_version_conflicts_where_both_changed_a_field(
    version: int | None,
    original: JsonObject | None,
    change: JsonObject,
    status: int,
    api: httpx.Client,
) -> None:
    """PostHog: 409 only for a field that somebody else changed, too, and to something else."""
    api.patch(f"{FLAGS}2/", json={"name": "Second"})
    body = change | ({"version": version} if version else {})
    answer = api.patch(f"{FLAGS}2/", json=body | ({"original_flag": original} if original else {}))
    assert answer.status_code == status
    if status == 409:
        words = "The feature flag was updated by jo@example.com since you started editing it. Please refresh"
        assert problem(answer) == (409, "error", f"{words} and try again.", None)
        assert answer.json()["type"] == "server_error"


# Faults, reset, neighbours


def test_failures_look_like_those_of_their_api(
    emulator: Emulator, capture: httpx.Client, api: httpx.Client
) -> None:
    """PostHog: plain text of capture, four fields of the private API; 429 says how long."""
    emulator.fault(status=429, retry_after=2, times=2)
    emulator.fault(status=429, times=1)
    emulator.fault(status=503, times=2)
    emulator.fault(status=418, times=2)
    texts = [capture.post("/e/").text]
    throttled = [api.get(FLAGS), api.get(FLAGS)]
    texts.append(capture.post("/e/").text)
    broken = api.get(FLAGS)
    texts.append(capture.post("/e/").text)
    assert texts == ["rate limited", "transient error, please retry", "i'm a teapot"]
    assert [answer.headers["retry-after"] for answer in throttled] == ["2", "1"]
    words = "Request was throttled. Expected available in 2 seconds."
    assert problem(throttled[0]) == (429, "throttled", words, None)
    assert problem(broken) == (503, "error", "A server error occurred.", None)
    assert problem(api.get(FLAGS)) == (418, "error", "I'm a Teapot", None)


def test_a_limit_may_be_told_without_a_header(
    emulator: Emulator, capture: httpx.Client, api: httpx.Client
) -> None:
    """Ours: then the sentence alone says how long, and that of capture does not."""
    emulator.fault(retry_after=30, headers={"Retry-After": None}, times=2)
    told, plain = api.get(FLAGS), capture.post("/e/")
    words = "Request was throttled. Expected available in 30 seconds."
    assert problem(told) == (429, "throttled", words, None)
    assert told.json()["type"] == "throttled_error"
    assert (plain.status_code, plain.text) == (429, "rate limited")
    assert [answer.headers.get("retry-after") for answer in (told, plain)] == [None, None]
    emulator.fault(retry_after=30)
    assert capture.post("/e/").headers["retry-after"] == "30"


def test_10000_events_can_be_counted_behind_many_faults(
    emulator: Emulator, capture: httpx.Client, api: httpx.Client
) -> None:
    """Ours: with a UUID and a time, what is sent again is a duplicate; each is listed once."""
    emulator.fault(status=503, chance=0.1, seed=1, path="/batch/")
    emulator.fault(cut="after", chance=0.1, seed=2, path="/batch/")
    time = datetime(2026, 5, 1, tzinfo=UTC)
    events = [
        EVENT | {"uuid": str(UUID(int=n + 1)), "timestamp": (time + n * MINUTE).isoformat()}
        for n in range(10_000)
    ]
    for start in range(0, len(events), 100):
        body = KEY | {"batch": events[start : start + 100]}
        is_sent = False
        while not is_sent:
            with contextlib.suppress(httpx.TransportError):
                is_sent = capture.post("/batch/", json=body).is_success
    counted = emulator.events("posthog")
    assert len([each for each in counted if not each["duplicate"]]) == 10_000
    assert len(counted) - 10_000 >= 100
    stats = emulator.stats()
    assert (stats.accepted, stats.accepted + stats.duplicates) == (10_000, len(counted))
    seen, before = [], "2027-01-01T00:00:00Z"
    while rows := listed(api, before=before, limit="1000", distinct_id="u"):
        seen += [row["id"] for row in rows]
        before = str(rows[-1]["timestamp"])
    assert sorted(str(each) for each in seen) == [str(each["uuid"]) for each in events]


MINUTE = timedelta(minutes=1)


def test_a_reset_restores_the_seed(
    emulator: Emulator, posthog: PostHogEmulator, capture: httpx.Client, api: httpx.Client
) -> None:
    """Ours: keys, projects, events and UUIDs are those of a new emulator."""
    before = [
        api.get(f"{FIRST}{kind}/").json() for kind in ("feature_flags", "persons", "insights")
    ]
    once = KEY | EVENT | {"uuid": "0196f1c2-0000-7000-8000-00000000aaaa"}
    capture.post("/e/", json=once)
    api.patch(f"{FLAGS}2/", json={"filters": HALF, "deleted": True})
    posthog.state.keys.clear()
    emulator.reset()
    assert recorded(emulator) == []
    after = [
        api.get(f"{FIRST}{kind}/").json() for kind in ("feature_flags", "persons", "insights")
    ]
    assert after == before
    capture.post("/e/", json=once)
    assert [each["duplicate"] for each in recorded(emulator)] == [False]


def test_posthog_and_segment_share_an_address(
    emulator: Emulator, capture: httpx.Client, api: httpx.Client
) -> None:
    """Ours: no path of the one is a path of the other, and the events come in order."""
    capture.post("/v1/track", json={"writeKey": "k", "event": "one", "userId": "u"})
    capture.post("/capture/", json=KEY | EVENT)
    capture.post("/v1/track", json={"writeKey": "k", "event": "two", "userId": "u"})
    assert api.get("/sources").status_code == 401
    assert capture.post("/v1/track", content=b"x" * 40_000).status_code == 400
    assert sorted(str(each["integration"]) for each in emulator.events()) == [
        "posthog",
        "segment",
        "segment",
    ]
