"""PostHog's fifteen functions, on its emulator over real HTTP: what they send, return, refuse and warn of."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from conftest import API
from kosmo_lua import Kosmo, Result
from kosmo_lua.emulator import Emulator
from kosmo_lua.errors import KosmoError
from kosmo_lua.testing import check_integration
from kosmo_lua.values import Json, JsonObject
from kosmo_posthog import posthog
from kosmo_posthog.emulator import PostHogEmulator
from kosmo_posthog.emulator.seed import flag

KEYS = {
    "KOSMO_POSTHOG_PROJECT_API_KEY": "phc_emulator",
    "KOSMO_POSTHOG_API_TOKEN": "phx_emulator",
    "KOSMO_POSTHOG_PROJECT_ID": "1",
    "KOSMO_POSTHOG_WRITE": "allow",
}
EVENT = "0196f1c2-0000-7000-8000-000000000001"
PERSON = "0196f1c2-0000-7000-8000-000000000101"


class Sent(NamedTuple):
    """A request, whole: a GET has no body, and capture no Authorization header."""

    method: str
    path: str
    authorization: str | None = "Bearer phx_emulator"
    body: Json = None


class RecordingPostHog(PostHogEmulator):
    """PostHog's emulator, with a memory for requests."""

    def __init__(self) -> None:
        super().__init__()
        self.routes = [
            Route(r.path, self._remembering(r.endpoint), methods=[*(r.methods or ())])
            for r in self.routes
        ]

    def reset(self) -> None:
        """Forget the requests, too."""
        super().reset()
        self.requests: list[Sent] = []
        self.agents: set[str | None] = set()
        self.meanwhile: Callable[[], object] | None = None

    def _remembering(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        async def remember(request: Request) -> Response:
            body = await request.body()
            path = str(request.url.replace(scheme="", netloc=""))
            authorization = request.headers.get("authorization")
            content = json.loads(body) if body else None
            self.requests.append(Sent(request.method, path, authorization, content))
            self.agents.add(request.headers.get("user-agent"))
            if request.method == "PATCH" and self.meanwhile:
                self.meanwhile()
            response: Response = await endpoint(request)
            return response

        return remember


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    """Serve the recording emulator to all tests of this module."""
    with Emulator({"posthog": f"{__name__}:RecordingPostHog"}) as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    """Give it as new."""
    running.reset()
    return running


@pytest.fixture
def service(emulator: Emulator) -> RecordingPostHog:
    """Give the service behind it."""
    found = emulator.service("posthog")
    assert isinstance(found, RecordingPostHog)
    return found


@pytest.fixture
def environ(emulator: Emulator) -> dict[str, str]:
    """Give the settings of an account that lives on the emulator; a test may change them."""
    return KEYS | {"KOSMO_POSTHOG_URL": emulator.url}


Call = Callable[..., Any]


@pytest.fixture
def call(environ: dict[str, str]) -> Iterator[Call]:
    """Call a function by its short name."""
    with Kosmo(integrations=[posthog], environ=environ) as kosmo:
        yield lambda name, **arguments: kosmo.call(f"posthog.{name}", arguments)


@pytest.fixture
def lua(environ: dict[str, str]) -> Iterator[Callable[[str], Result]]:
    """Run Lua with the namespace of PostHog as `posthog`."""
    with Kosmo(integrations=[posthog], environ=environ) as kosmo:
        yield lambda code: kosmo.run(f"local posthog = app.integrations.posthog\n{code}")


def failure(call: Call, name: str, **arguments: Json) -> KosmoError:
    """Return the error of a call that must fail."""
    with pytest.raises(KosmoError) as caught:
        call(name, **arguments)
    return caught.value


def test_it_is_what_an_integration_must_be() -> None:
    """Ours: names, docs, schemas, secrets, examples on the emulator."""
    check_integration(posthog)


# What is sent


def get(path: str) -> Sent:
    """Describe a read of the first project."""
    return Sent("GET", f"/api/projects/1/{path}")


NEW_FLAG: JsonObject = {
    "key": "new-checkout",
    "name": "New checkout",
    "active": True,
    "filters": {"groups": [{"properties": [], "rollout_percentage": 100}]},
    "_should_create_usage_dashboard": False,
}
REQUESTS: list[tuple[str, JsonObject, Sent]] = [
    (
        "list_events",
        {
            "limit": 5,
            "offset": 2,
            "event": "$pageview",
            "distinct_id": "user-123",
            "person_id": PERSON,
            "after": "2026-04-01T00:00:00Z",
            "before": "2026-05-01T00:00:00Z",
        },
        get(
            "events/?limit=5&offset=2&event=%24pageview&distinct_id=user-123"
            f"&person_id={PERSON}&after=2026-04-01T00%3A00%3A00Z&before=2026-05-01T00%3A00%3A00Z"
        ),
    ),
    ("list_events", {"after": "-7d"}, get("events/?limit=100&after=-7d")),
    ("get_event", {"event_id": EVENT}, get(f"events/{EVENT}/")),
    (
        "list_persons",
        {"limit": 2, "offset": 1, "search": "jane&x"},
        get("persons/?limit=2&offset=1&search=jane%26x"),
    ),
    ("get_person", {"person_id": PERSON}, get(f"persons/{PERSON}/")),
    ("get_person", {"person_id": "2"}, get("persons/2/")),
    ("list_feature_flags", {}, get("feature_flags/?limit=100")),
    ("get_feature_flag", {"flag_id": 2}, get("feature_flags/2/")),
    (
        "create_feature_flag",
        {"name": "New checkout", "key": "new-checkout"},
        Sent("POST", "/api/projects/1/feature_flags/", body=NEW_FLAG),
    ),
    (
        "update_feature_flag",
        {"flag_id": 2, "active": False},
        Sent("PATCH", "/api/projects/1/feature_flags/2/", body={"active": False}),
    ),
    (
        "delete_feature_flag",
        {"flag_id": 2},
        Sent("PATCH", "/api/projects/1/feature_flags/2/", body={"deleted": True}),
    ),
    ("list_insights", {}, get("insights/?limit=100&basic=true&saved=true")),
    (
        "list_insights",
        {"limit": 5, "offset": 1, "type": "FUNNELS"},
        get("insights/?limit=5&offset=1&basic=true&saved=true&insight=FUNNELS"),
    ),
    ("get_insight", {"insight_id": 1}, get("insights/1/")),
    ("list_dashboards", {"limit": 10}, get("dashboards/?limit=10")),
    ("get_dashboard", {"dashboard_id": 1}, get("dashboards/1/")),
    ("list_cohorts", {"limit": 1, "offset": 1}, get("cohorts/?limit=1&offset=1")),
]


@pytest.mark.parametrize(("name", "arguments", "request_"), REQUESTS)
def test_a_call_is_one_request_with_the_personal_key(
    name: str, arguments: JsonObject, request_: Sent, call: Call, service: RecordingPostHog
) -> None:
    """PostHog: path, query and body of each function, and nothing beside."""
    call(name, **arguments)
    assert service.requests == [request_]
    assert [str(agent).partition("/")[0] for agent in service.agents] == ["kosmo-lua"]


def test_an_event_is_captured_with_the_project_key(call: Call, service: RecordingPostHog) -> None:
    """PostHog: the key in the body and no header; ours: UUID and time are fixed before it is sent."""
    result = call(
        "capture_event", event="purchase", distinct_id="user-123", properties={"amount": 49.99}
    )
    body: JsonObject = {
        "api_key": "phc_emulator",
        "event": "purchase",
        "distinct_id": "user-123",
        "properties": {"$lib": "kosmo-lua", "$geoip_disable": True, "amount": 49.99},
        "timestamp": result["timestamp"],
        "uuid": result["uuid"],
    }
    assert service.requests == [Sent("POST", "/i/v0/e/", None, body)]
    sent = {name: body[name] for name in ("uuid", "event", "distinct_id", "timestamp")}
    assert result == {"status": "Ok", **sent}
    assert UUID(result["uuid"]).version == 4
    assert abs(datetime.now(UTC) - datetime.fromisoformat(result["timestamp"])) < timedelta(
        minutes=1
    )


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2026-04-01T10:00:00Z", "2026-04-01T10:00:00Z"),
        ("2026-04-01T10:00:00", "2026-04-01T10:00:00Z"),
        ("2026-04-01 12:00:00+02:00", "2026-04-01T10:00:00Z"),
        ("2026-04-01T10:00:00.250Z", "2026-04-01T10:00:00.250000Z"),
    ],
)
def test_a_time_is_sent_as_utc(given: str, sent: str, call: Call, emulator: Emulator) -> None:
    """Ours: a time without a zone is UTC, not the project's time."""
    call("capture_event", event="e", distinct_id="u", timestamp=given)
    message = emulator.events()[0]["message"]
    assert isinstance(message, dict)
    assert message["timestamp"] == sent


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2026-04-01", "2026-04-01T00%3A00%3A00Z"),
        ("2026-04-01T00:00:00", "2026-04-01T00%3A00%3A00Z"),
        ("2026-04-01T02:00:00+02:00", "2026-04-01T00%3A00%3A00Z"),
        ("-24h", "-24h"),
    ],
)
def test_a_bound_of_a_list_has_a_zone(
    given: str, sent: str, call: Call, service: RecordingPostHog
) -> None:
    """PostHog: a time without a zone would be the project's; a day and a span are taken, too."""
    call("list_events", after=given, before=given)
    assert service.requests == [get(f"events/?limit=100&after={sent}&before={sent}")]


def test_own_properties_win_and_an_empty_table_is_an_object(
    lua: Callable[[str], Result], service: RecordingPostHog
) -> None:
    """Ours: what a script says about the library stands; Lua's `{}` is no list."""
    result = lua(
        'posthog.capture_event{event = "e", distinct_id = "u", properties = {}}'
        'posthog.capture_event("e", "u", {["$lib"] = "mine", list = json.array({})})'
    )
    assert result.success, result.error
    sent = [request.body["properties"] for request in service.requests]  # type: ignore[index,call-overload]  # an object
    assert sent == [
        {"$lib": "kosmo-lua", "$geoip_disable": True},
        {"$lib": "mine", "$geoip_disable": True, "list": []},
    ]


def test_events_and_reads_go_to_their_own_hosts(
    environ: dict[str, str], service: RecordingPostHog
) -> None:
    """PostHog: the ingestion host serves no API; the personal key never goes there."""
    with Emulator({"posthog": f"{__name__}:RecordingPostHog"}) as ingestion:
        environ["KOSMO_POSTHOG_INGESTION_URL"] = ingestion.url
        with Kosmo(integrations=[posthog], environ=environ) as kosmo:
            kosmo.call("posthog.capture_event", {"event": "e", "distinct_id": "u"})
            kosmo.call("posthog.list_cohorts")
        other = ingestion.service("posthog")
        assert isinstance(other, RecordingPostHog)
        assert [request.path for request in other.requests] == ["/i/v0/e/"]
    assert [request.path for request in service.requests] == ["/api/projects/1/cohorts/?limit=100"]


# What is refused before it is sent


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        (
            "capture_event",
            {"distinct_id": "u"},
            'event is required (for example event = "purchase")',
        ),
        (
            "capture_event",
            {"event": "e", "distinct_id": ""},
            'distinct_id must not be empty (for example distinct_id = "user-123")',
        ),
        (
            "capture_event",
            {"event": "e", "distinct_id": 42},
            'distinct_id must be a string, got the number 42 (write distinct_id = "42")',
        ),
        (
            "capture_event",
            {"event": "example_event", "distinct_id": "example_distinct_id"}
            | {"properties": "example_properties"},
            'properties must be a table with named fields, got the string "example_properties"'
            ' (for example properties = {product = "Pro Plan"})',
        ),
        (
            "capture_event",
            {"event": "e", "distinct_id": "u", "timestamp": "example_timestamp"},
            "timestamp must be an ISO 8601 time such as 2026-04-01T00:00:00Z, got the string"
            ' "example_timestamp" (for example timestamp = "2026-04-01T10:00:00Z")',
        ),
        (
            "capture_event",
            {"event": "e", "distinct_id": "u", "timestamp": "2026-04-01"},
            "timestamp must be a time and not only a date, such as 2026-04-01T00:00:00Z, got the string"
            ' "2026-04-01" (for example timestamp = "2026-04-01T10:00:00Z")',
        ),
        (
            "list_events",
            {"after": "0001-01-01T00:00:00+05:00"},
            "after must be an ISO 8601 time such as 2026-04-01T00:00:00Z, got the string"
            ' "0001-01-01T00:00:00+05:00" (for example after = "2026-04-01T00:00:00Z")',
        ),
        (
            "list_events",
            {"offset": 50_001},
            "offset should be less than or equal to 50000, got the number 50001",
        ),
        (
            "list_events",
            {"limit": 0},
            "limit should be greater than or equal to 1, got the number 0 (for example limit = 10)",
        ),
        (
            "get_event",
            {"event_id": "example_event_id"},
            'event_id must be a UUID, got the string "example_event_id"'
            f' (for example event_id = "{EVENT}")',
        ),
        (
            "get_person",
            {"person_id": "user-123"},
            "person_id must be the UUID of a person, which posthog_list_persons finds by a distinct ID,"
            f' got the string "user-123" (for example person_id = "{PERSON}")',
        ),
        (
            "get_feature_flag",
            {"flag_id": "new-search"},
            'flag_id must be a whole number, got the string "new-search" (for example flag_id = 2)',
        ),
        (
            "create_feature_flag",
            {"name": "n", "key": "a b"},
            'key must be 1 to 400 letters, digits, hyphens and underscores, got the string "a b"'
            ' (for example key = "new-checkout")',
        ),
        (
            "create_feature_flag",
            {"name": "n", "key": "k", "rollout_percentage": 101},
            "rollout_percentage should be less than or equal to 100, got the number 101"
            " (for example rollout_percentage = 50)",
        ),
        (
            "create_feature_flag",
            {"name": "n", "key": "k", "rollout_percentage": True},
            "rollout_percentage must be a whole number, got true (for example rollout_percentage = 50)",
        ),
        (
            "create_feature_flag",
            {"name": "n", "key": "k", "filters": {"groups": "all"}},
            "filters.groups must be a list of tables",
        ),
        (
            "update_feature_flag",
            {"flag_id": 2, "filters": {"payloads": {}}},
            "filters must have groups, for PostHog ignores them without",
        ),
        (
            "update_feature_flag",
            {"flag_id": 2},
            "there is nothing to change: pass active, filters or rollout_percentage",
        ),
        (
            "list_insights",
            {"type": "trends"},
            "type should be 'TRENDS', 'FUNNELS', 'RETENTION', 'PATHS', 'LIFECYCLE' or 'STICKINESS',"
            ' got the string "trends" (for example type = "TRENDS")',
        ),
        ("list_cohorts", {"limits": 5}, "unknown parameter limits, did you mean limit?"),
    ],
)
def test_wrong_arguments_send_nothing(
    name: str, arguments: JsonObject, problem: str, call: Call, service: RecordingPostHog
) -> None:
    """Ours: the parameter, what it got and a valid value; the seed's placeholders are such arguments."""
    error = failure(call, name, **arguments)
    assert (error.code, error.effect) == ("invalid_arguments", "none")
    assert error.message == f"posthog.posthog_{name}: {problem}"
    assert service.requests == []


def test_an_event_of_more_than_900_kilobytes_is_not_sent(
    call: Call, service: RecordingPostHog
) -> None:
    """PostHog: it would be dropped; ours: the limit is in bytes."""
    error = failure(
        call, "capture_event", event="e", distinct_id="u", properties={"text": "ü" * 460_800}
    )
    assert error.code == "invalid_arguments"
    assert "PostHog takes at most 921,600" in error.message
    assert service.requests == []


# The project


def scope(service: PostHogEmulator, *teams: int) -> None:
    """Limit the emulator's key to these projects."""
    service.state.keys["phx_emulator"]["scoped_teams"] = [*teams]


WHO = Sent("GET", "/api/personal_api_keys/@current/")
WARNING = (
    "PostHog: project_id is not set and the key is not limited to one project; used the project that the"
    " key's owner opened last. Set project_id (KOSMO_POSTHOG_PROJECT_ID) to be sure."
)
TWO_READS = "posthog.list_cohorts() posthog.list_dashboards()"


def test_the_project_is_the_only_one_of_the_key(
    environ: dict[str, str], lua: Callable[[str], Result], service: RecordingPostHog
) -> None:
    """PostHog: a key may be limited to projects; ours: it is asked once in a run."""
    del environ["KOSMO_POSTHOG_PROJECT_ID"]
    scope(service, 2)
    result = lua(TWO_READS)
    assert (result.success, list(result.warnings)) == (True, [])
    assert [request.path for request in service.requests] == [
        WHO.path,
        "/api/projects/2/cohorts/?limit=100",
        "/api/projects/2/dashboards/?limit=100",
    ]
    assert service.requests[0] == WHO


@pytest.mark.parametrize("teams", [(), (1, 2)])
def test_without_a_project_the_last_one_is_used_with_a_warning(
    teams: tuple[int, ...],
    environ: dict[str, str],
    lua: Callable[[str], Result],
    service: RecordingPostHog,
) -> None:
    """PostHog: `@current` is what the owner of the key opened last; ours: one warning says so."""
    del environ["KOSMO_POSTHOG_PROJECT_ID"]
    scope(service, *teams)
    result = lua(TWO_READS)
    assert (result.success, list(result.warnings)) == (True, [WARNING])
    assert [request.path for request in service.requests] == [
        WHO.path,
        "/api/projects/@current/cohorts/?limit=100",
        "/api/projects/@current/dashboards/?limit=100",
    ]


@pytest.mark.parametrize("status", [403, 404])
def test_a_server_that_does_not_tell_about_the_key_is_asked_for_the_last_project(
    status: int, environ: dict[str, str], emulator: Emulator, lua: Callable[[str], Result]
) -> None:
    """PostHog: an older server has no such answer."""
    del environ["KOSMO_POSTHOG_PROJECT_ID"]
    emulator.fault(status=status, path=WHO.path)
    result = lua("return #posthog.list_cohorts().results")
    assert (result.result, list(result.warnings)) == (2, [WARNING])


def test_other_failures_of_that_question_are_those_of_the_call(
    environ: dict[str, str], emulator: Emulator, call: Call
) -> None:
    """Ours: nothing is guessed from an outage, and nothing was written."""
    del environ["KOSMO_POSTHOG_PROJECT_ID"]
    emulator.fault(status=503, path=WHO.path)
    error = failure(call, "delete_feature_flag", flag_id=2)
    assert (error.code, error.status, error.effect) == ("service_error", 503, "none")
    assert call("delete_feature_flag", flag_id=2)["deleted"] is True


def test_a_missing_last_project_says_what_to_set(
    environ: dict[str, str], call: Call, service: RecordingPostHog
) -> None:
    """PostHog: 404 when the owner has none."""
    del environ["KOSMO_POSTHOG_PROJECT_ID"]
    scope(service)
    service.state.current = None
    error = failure(call, "list_cohorts")
    assert (
        error.message == "posthog.posthog_list_cohorts: PostHog answered 404: Project not found."
    )
    expected = (
        "The project is the one that the key's owner opened last; set project_id for another."
    )
    assert error.hint == expected


# Events


def test_an_event_is_listed_after_it_was_captured(call: Call) -> None:
    """Ours: the emulator is one service, as PostHog is."""
    captured = call("capture_event", event="e", distinct_id="new", properties={"a": [1, {}]})
    listed = call("list_events", event="e", after="-1h")["results"]
    assert [event["id"] for event in listed] == [captured["uuid"]]
    assert listed[0]["properties"] == {"$lib": "kosmo-lua", "$geoip_disable": True, "a": [1, {}]}
    assert call("get_event", event_id=captured["uuid"]) == listed[0]


def test_pathname_is_offered_where_there_is_only_its_dollar_name(
    call: Call, service: RecordingPostHog
) -> None:
    """Seed: its example prints `properties.pathname`, which PostHog calls `$pathname`."""
    assert call("get_event", event_id=EVENT)["properties"] == {
        "pathname": "/",
        "$pathname": "/",
        "$lib": "web",
    }
    properties = service.state.projects[1].events[1]["properties"]
    assert isinstance(properties, dict)
    properties["pathname"] = "/own"
    assert call("get_event", event_id=EVENT)["properties"]["pathname"] == "/own"
    signup = call("get_event", event_id="0196F1C2-0000-7000-8000-000000000007")
    assert signup["properties"] == {"plan": "free"}


def test_what_a_list_of_events_leaves_out_gives_a_warning(
    lua: Callable[[str], Result], service: RecordingPostHog
) -> None:
    """PostHog: it looks back 24 hours without `after`, and cuts a list to 1,000, without a word."""
    result = lua("return #posthog.list_events({limit = 1001}).results")
    assert (result.success, result.result) == (True, 0)
    assert list(result.warnings) == [
        "PostHog lists the events of the last 24 hours only, unless `after` says more.",
        "PostHog lists at most 1,000 events; page with `before`.",
    ]
    assert service.requests == [get("events/?limit=1000")]


def test_a_distinct_id_that_is_cut_gives_a_warning(lua: Callable[[str], Result]) -> None:
    """PostHog: it keeps 200 characters, without a word."""
    result = lua('posthog.capture_event{event = "e", distinct_id = ("x"):rep(201)}')
    assert list(result.warnings) == ["PostHog cuts a distinct_id to its first 200 characters."]


def test_an_event_over_the_quota_gives_a_warning(
    emulator: Emulator, lua: Callable[[str], Result]
) -> None:
    """PostHog: 200 all the same, because clients would only send it again."""
    emulator.fault(body='{"status": "Ok", "quota_limited": ["events"]}')
    result = lua('return posthog.capture_event{event = "e", distinct_id = "u"}.status')
    assert result.result == "Ok"
    assert list(result.warnings) == ["PostHog dropped the event: over the quota of ['events']."]


def test_events_are_paged_by_time(call: Call) -> None:
    """PostHog: `next` has `before`; it keeps an `offset`, which would skip rows again, and so is removed."""
    page = call("list_events", event="$pageview", after="2026-04-01", limit=2, offset=1)
    assert [event["timestamp"][:16] for event in page["results"]] == [
        "2026-04-05T08:00",
        "2026-04-03T14:20",
    ]
    assert page["next"].endswith(
        "/api/projects/1/events/?limit=2&event=%24pageview&after=2026-04-01T00%3A00%3A00Z"
        "&before=2026-04-03T14%3A20%3A00%2B00%3A00"
    )
    rest = call("list_events", event="$pageview", after="2026-04-01", before="2026-04-03T14:20:00")
    assert [len(rest["results"]), rest["next"]] == [2, None]


# Feature flags


def group(percentage: int | None, *properties: JsonObject) -> JsonObject:
    """Write a condition set."""
    return {"properties": [*properties], "rollout_percentage": percentage}


STAFF: JsonObject = {"key": "email", "type": "person", "value": "@us", "operator": "icontains"}


@pytest.mark.parametrize(
    ("arguments", "filters"),
    [
        ({"rollout_percentage": 50}, {"groups": [group(50)]}),
        ({"rollout_percentage": 0}, {"groups": [group(0)]}),
        ({"filters": {}}, {"groups": [group(100)]}),
        ({"filters": {"groups": []}, "rollout_percentage": 5}, {"groups": [group(5)]}),
        ({"filters": {"groups": [{"rollout_percentage": 7}]}}, {"groups": [group(7)]}),
        (
            {"filters": {"groups": [{"properties": [STAFF]}]}, "rollout_percentage": 20},
            {"groups": [group(20, STAFF)]},
        ),
        (
            {"filters": {"properties": [STAFF]}, "rollout_percentage": 20},
            {"groups": [group(20, STAFF)]},
        ),
        (
            {"filters": {"groups": [group(1), group(2, STAFF)], "payloads": []}},
            {"groups": [group(1), group(2, STAFF)], "payloads": {}},
        ),
    ],
)
def test_the_rollout_of_a_new_flag_is_in_its_condition_set(
    arguments: JsonObject, filters: JsonObject, call: Call, service: RecordingPostHog
) -> None:
    """PostHog: at the top of a flag it is ignored; a new flag needs a condition set."""
    made = call("create_feature_flag", name="New checkout", key="new-checkout", **arguments)
    assert service.requests[0].body == NEW_FLAG | {"filters": filters}
    groups = filters["groups"]
    assert isinstance(groups, list)
    rollout = groups[0]["rollout_percentage"] if len(groups) == 1 else None  # type: ignore[index,call-overload]  # a group
    assert made.get("rollout_percentage") == rollout


def test_a_new_rollout_keeps_all_else(call: Call, service: RecordingPostHog) -> None:
    """PostHog: `filters` replace the old ones, so they are read first; version and original guard them."""
    before = call("get_feature_flag", flag_id=2)
    service.requests.clear()
    after = call("update_feature_flag", flag_id=2, rollout_percentage=75, active=False)
    original = {name: value for name, value in before.items() if name != "rollout_percentage"}
    filters = original["filters"] | {
        "groups": [original["filters"]["groups"][0] | {"rollout_percentage": 75}]
    }
    body = {"active": False, "filters": filters, "version": 1, "original_flag": original}
    assert service.requests == [
        get("feature_flags/2/"),
        Sent("PATCH", "/api/projects/1/feature_flags/2/", body=body),
    ]
    assert after["filters"] == filters
    assert filters["payloads"] == {"true": '{"size": 10}'}
    assert (after["rollout_percentage"], after["active"], after["version"]) == (75, False, 2)


def test_a_flag_without_condition_set_or_version_gets_a_rollout(
    call: Call, service: RecordingPostHog
) -> None:
    """PostHog: old flags have neither."""
    service.state.projects[1].flags.append(flag(9, "bare") | {"version": None})
    assert call("update_feature_flag", flag_id=9, rollout_percentage=5)["rollout_percentage"] == 5
    body = service.requests[1].body
    assert isinstance(body, dict)
    assert [*body] == ["filters"]


def test_new_filters_replace_the_old_ones_and_take_the_rollout(
    call: Call, service: RecordingPostHog
) -> None:
    """Seed: both parameters at once; nothing has to be read for it."""
    call(
        "update_feature_flag",
        flag_id=3,
        filters={"groups": [group(1, STAFF)]},
        rollout_percentage=9,
    )
    body: JsonObject = {"filters": {"groups": [group(9, STAFF)]}}
    assert service.requests == [Sent("PATCH", "/api/projects/1/feature_flags/3/", body=body)]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("update_feature_flag", {"flag_id": 3}),
        ("update_feature_flag", {"flag_id": 1, "filters": {"groups": [group(1), group(2)]}}),
        (
            "create_feature_flag",
            {"name": "n", "key": "k", "filters": {"groups": [group(1), group(2)]}},
        ),
    ],
)
def test_a_rollout_of_several_condition_sets_asks_for_filters(
    name: str, arguments: JsonObject, call: Call, service: RecordingPostHog
) -> None:
    """Ours: which of them is meant cannot be known, and nothing is changed."""
    error = failure(call, name, **arguments, rollout_percentage=5)
    assert (error.code, error.effect) == ("invalid_arguments", "none")
    assert error.hint == "Pass filters with a rollout_percentage in each of filters.groups."
    assert {request.method for request in service.requests} <= {"GET"}


def test_a_flag_that_was_changed_meanwhile_is_not_overwritten(
    call: Call, service: RecordingPostHog
) -> None:
    """PostHog: 409 and its words."""
    flags = service.state.projects[1].flags

    def change() -> None:
        flags[1] |= {"version": 2, "filters": {"groups": [group(1)]}}

    service.meanwhile = change
    error = failure(call, "update_feature_flag", flag_id=2, rollout_percentage=75)
    assert (error.code, error.status, error.effect) == ("service_error", 409, "sent")
    assert error.message.endswith(
        "The feature flag was updated by jo@example.com since you started editing it. Please refresh and"
        " try again."
    )
    assert error.hint == "Nothing was changed. Read it again, then decide anew."
    assert flags[1]["filters"] == {"groups": [group(1)]}


def test_a_deleted_flag_is_gone(call: Call) -> None:
    """PostHog: it is marked, and no longer listed or found."""
    assert call("delete_feature_flag", flag_id=2) == {"success": True, "deleted": True, "id": 2}
    keys = [each["key"] for each in call("list_feature_flags")["results"]]
    assert keys == ["retired-banner", "button-color", "old-navigation"]
    for name in ("get_feature_flag", "delete_feature_flag"):
        assert failure(call, name, flag_id=2).status == 404


def test_the_rollout_is_told_where_it_is_clear(call: Call) -> None:
    """PostHog: none means all; ours: nil for several condition sets."""
    rollouts = {
        each["key"]: each.get("rollout_percentage")
        for each in call("list_feature_flags")["results"]
    }
    assert rollouts == {
        "old-navigation": 100,
        "new-search": 25,
        "button-color": None,
        "retired-banner": 100,
    }


# Insights, dashboards, cohorts, persons


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({}, ["Page views per day", "$pageview -> purchase"]),
        ({"type": "FUNNELS"}, ["$pageview -> purchase"]),
        ({"type": "PATHS"}, []),
    ],
)
def test_saved_insights_are_listed_by_type(
    arguments: JsonObject, names: list[str], call: Call
) -> None:
    """Seed: saved ones, by type; PostHog: one may have only a derived name."""
    assert [each["name"] for each in call("list_insights", **arguments)["results"]] == names


def test_what_has_no_name_has_an_empty_one(call: Call) -> None:
    """Seed: its example prints the name of each dashboard, which PostHog allows to be null."""
    assert [each["name"] for each in call("list_dashboards")["results"]] == [
        "Product overview",
        "",
    ]
    assert call("get_dashboard", dashboard_id=2)["name"] == ""
    assert call("get_insight", insight_id=3)["name"] == ""


def test_persons_are_found_by_email_or_distinct_id(call: Call) -> None:
    """PostHog: a part of the email, or a whole distinct ID."""
    for search in ("jane", "user-123"):
        found = call("list_persons", search=search)["results"]
        assert [person["name"] for person in found] == ["jane@example.com"]
    assert call("get_person", person_id=PERSON)["distinct_ids"] == ["user-123"]


# Keys, hosts and accounts


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        (
            "KOSMO_POSTHOG_PROJECT_API_KEY",
            "phx_secret",
            "is a personal API key (phx_...), but events need the project key (phc_...)",
        ),
        (
            "KOSMO_POSTHOG_API_TOKEN",
            "phc_secret",
            "is a project key (phc_...), but the API needs a personal API key (phx_...)",
        ),
        (
            "KOSMO_POSTHOG_PROJECT_ID",
            "my project",
            "must be the number of the project, such as 12345",
        ),
        ("KOSMO_POSTHOG_REGION", "asia", "should be 'us' or 'eu'"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_sent(
    variable: str, value: str, words: str, environ: dict[str, str], service: RecordingPostHog
) -> None:
    """PostHog: 401 for the one key in the place of the other; ours: said at once, without the key."""
    environ[variable] = value
    with Kosmo(integrations=[posthog], environ=environ) as kosmo:
        error = failure(
            lambda name, **a: kosmo.call(name, a),
            "posthog.capture_event",
            event="e",
            distinct_id="u",
        )
    assert (error.code, error.effect) == ("config_error", "none")
    assert error.message == f"posthog.posthog_capture_event: {variable} {words}"
    assert service.requests == []


@pytest.mark.parametrize(
    ("missing", "name", "arguments"),
    [
        ("KOSMO_POSTHOG_PROJECT_API_KEY", "capture_event", {"event": "e", "distinct_id": "u"}),
        ("KOSMO_POSTHOG_API_TOKEN", "list_cohorts", {}),
    ],
)
def test_no_key_stands_in_for_the_other(
    missing: str,
    name: str,
    arguments: JsonObject,
    environ: dict[str, str],
    service: RecordingPostHog,
) -> None:
    """Upstream W18: it sent the personal key as the public one; ours: neither replaces the other."""
    del environ[missing]
    with Kosmo(integrations=[posthog], environ=environ) as kosmo:
        error = failure(lambda name, **a: kosmo.call(name, a), f"posthog.{name}", **arguments)
    assert error.code == "credentials_missing"
    assert error.hint == f"Set {missing}, or try the workflow with --emulator."
    assert service.requests == []


@pytest.mark.parametrize(
    ("settings", "app", "ingestion"),
    [
        ({}, "https://us.posthog.com", "https://us.i.posthog.com"),
        ({"region": "eu"}, "https://eu.posthog.com", "https://eu.i.posthog.com"),
        ({"url": "https://eu.posthog.com"}, "https://eu.posthog.com", "https://eu.i.posthog.com"),
        (
            {"url": "https://eu.i.posthog.com"},
            "https://eu.posthog.com",
            "https://eu.i.posthog.com",
        ),
        (
            {"url": "https://app.posthog.com/"},
            "https://us.posthog.com",
            "https://us.i.posthog.com",
        ),
        ({"url": "https://ph.example.com"}, "https://ph.example.com", "https://ph.example.com"),
        (
            {"ingestion_url": "https://eu.i.posthog.com"},
            "https://eu.posthog.com",
            "https://eu.i.posthog.com",
        ),
        (
            {"region": "eu", "ingestion_url": "https://e.example.com"},
            "https://eu.posthog.com",
            "https://e.example.com",
        ),
        (
            {"url": "https://ph.example.com", "ingestion_url": "https://e.example.com"},
            "https://ph.example.com",
            "https://e.example.com",
        ),
    ],
)
def test_each_host_stands_for_both(settings: dict[str, Any], app: str, ingestion: str) -> None:
    """PostHog: each region has an app and an ingestion host; a self-hosted one has one for both."""
    credentials = posthog.credentials(**settings)
    assert (credentials.app, credentials.ingestion) == (app, ingestion)  # type: ignore[attr-defined]  # of PostHog's


def test_the_vendors_own_variables_are_read(emulator: Emulator, service: RecordingPostHog) -> None:
    """PostHog: POSTHOG_API_KEY is the project key, POSTHOG_HOST is either host."""
    environ = {
        "POSTHOG_API_KEY": "phc_emulator",
        "POSTHOG_PERSONAL_API_KEY": "phx_emulator",
        "POSTHOG_PROJECT_ID": "1",
        "POSTHOG_HOST": emulator.url,
    }
    with Kosmo(integrations=[posthog], environ=environ, force=True) as kosmo:
        kosmo.call("posthog.capture_event", {"event": "e", "distinct_id": "u"})
        kosmo.call("posthog.list_cohorts")
    paths = [request.path for request in service.requests]
    assert paths == ["/i/v0/e/", "/api/projects/1/cohorts/?limit=100"]


def test_a_named_account_takes_the_other_name_of_the_token(emulator: Emulator) -> None:
    """Ours: `personal_api_key`, as PostHog calls it, is the setting `api_token`."""
    environ = {
        "KOSMO_POSTHOG__WORK__PERSONAL_API_KEY": "phx_emulator",
        "KOSMO_POSTHOG__WORK__PROJECT_ID": "1",
        "KOSMO_POSTHOG__WORK__URL": emulator.url,
    }
    with Kosmo(integrations=[posthog], environ=environ) as kosmo:
        found = kosmo.call("posthog.list_cohorts", account="work")
        assert isinstance(found, dict)
        assert found["count"] == 2
    environ["KOSMO_POSTHOG__WORK__PERSONAL_KEY"] = "phx_emulator"
    with (
        Kosmo(integrations=[posthog], environ=environ) as kosmo,
        pytest.raises(KosmoError) as caught,
    ):
        kosmo.call("posthog.list_cohorts", account="work")
    assert "did you mean KOSMO_POSTHOG__WORK__PERSONAL_API_KEY?" in caught.value.message


# What PostHog refuses


def test_a_key_of_the_wrong_kind_or_region_is_hinted_at(
    environ: dict[str, str], service: RecordingPostHog
) -> None:
    """PostHog: 401 for both; ours: the hint names the variable, the kind and the region."""
    environ["KOSMO_POSTHOG_API_TOKEN"] = "phx_of_another_region"
    with Kosmo(integrations=[posthog], environ=environ) as kosmo:
        error = failure(lambda name, **a: kosmo.call(name, a), "posthog.list_cohorts")
    assert (error.code, error.status, error.retryable) == ("service_error", 401, False)
    assert error.message == (
        "posthog.posthog_list_cohorts: PostHog answered 401: Personal API key found in request"
        " Authorization header is invalid."
    )
    assert error.hint == (
        "Check KOSMO_POSTHOG_API_TOKEN and the region of the account default. The API takes a personal key"
        " (phx_...), events a project key (phc_...); a key of the other region is refused the same way."
    )
    assert len(service.requests) == 1


def test_a_missing_scope_is_named(call: Call, service: RecordingPostHog) -> None:
    """PostHog: 403 with the scope in `detail`."""
    service.state.keys["phx_emulator"]["scopes"] = ["dashboard:read"]
    assert call("list_dashboards")["count"] == 2
    error = failure(call, "list_cohorts")
    assert error.status == 403
    assert error.message.endswith("403: API key missing required scope 'cohort:read'")
    assert error.hint is not None
    assert "scope" in error.hint


def test_a_field_that_is_refused_is_named(call: Call) -> None:
    """PostHog: `attr` and `detail`."""
    error = failure(call, "create_feature_flag", name="n", key="new-search")
    assert error.message == (
        "posthog.posthog_create_feature_flag: PostHog answered 400: key: There is already a feature flag"
        " with this key."
    )


def test_capture_refuses_in_plain_text(emulator: Emulator, call: Call) -> None:
    """PostHog: no JSON there; ours: such an answer can be tried again where it says so."""
    emulator.fault(status=503)
    error = failure(call, "capture_event", event="e", distinct_id="u")
    assert error.message.endswith("PostHog answered 503: transient error, please retry")
    assert (error.code, error.retryable, error.effect) == ("service_error", True, "sent")


def test_a_rate_limit_says_how_long(emulator: Emulator, call: Call) -> None:
    """PostHog: 429 with Retry-After."""
    emulator.fault(status=429, retry_after=30)
    error = failure(call, "list_cohorts")
    assert (error.code, error.retryable, error.details) == (
        "rate_limited",
        True,
        {"retry_after": 30},
    )
    assert error.message.endswith("Request was throttled. Expected available in 30 seconds.")


@pytest.mark.parametrize("body", ["[]", '"text"', "1"])
def test_an_answer_that_is_no_object_is_an_error(
    body: str, emulator: Emulator, call: Call
) -> None:
    """Ours: what PostHog does not document is not passed on."""
    emulator.fault(body=body, times=2)
    assert failure(call, "list_cohorts").code == "service_error"
    emulator.fault(body='{"results": [1]}', times=1)
    assert failure(call, "get_event", event_id=EVENT).code == "service_error"
    assert failure(call, "list_events", after="-1d").code == "service_error"


# Names


@pytest.mark.parametrize("short", [*posthog.functions])
def test_every_spelling_means_the_function(short: str) -> None:
    """Seed: `posthog_NAME`; ours: the short name too, in Lua, in the docs and for accounts."""
    name = f"posthog_{short}"
    with Kosmo(integrations=[posthog], environ={}, emulator=True) as kosmo:
        for spelling in (
            name,
            short,
            f"posthog.{name}",
            f"posthog.{short}",
            f"posthog.work.{name}",
        ):
            if "." in spelling or spelling == name:
                assert kosmo.catalog.resolve(spelling).function.name == name
            if "work" not in spelling:
                path = spelling if "." in spelling else f"posthog.{spelling}"
                page = kosmo.reference.read(f"app.integrations.{path}")
                assert page.startswith(f"# app.integrations.posthog.{name}\n")
        for word in (name, short, f"posthog.{name}"):
            assert f"`posthog.{name}`" in kosmo.reference.search(word)
        code = "local p = app.integrations.posthog; return type(p[arg[1]]), type(p.work[arg[2]])"
        assert kosmo.run(code, arguments=[name, short]).result == ["function", "function"]


def test_the_docs_show_the_names_of_the_seed(lua: Callable[[str], Result]) -> None:
    """Seed: its Lua path; ours: pairs lists each function once."""
    names = lua("local n = {} for name in pairs(posthog) do n[#n + 1] = name end return n").result
    assert names == sorted(["default", *(f"posthog_{name}" for name in posthog.functions)])
    page = lua('return docs.read("integrations.posthog")').result
    assert isinstance(page, str)
    assert "| `posthog_capture_event`, `capture_event` | write |" in page
    assert (
        "`KOSMO_POSTHOG_API_TOKEN`, `KOSMO_POSTHOG_PERSONAL_API_KEY`, `POSTHOG_PERSONAL_API_KEY`"
        in page
    )


# The seed's hand-written examples, in our words


def test_the_seeds_first_workflow_captures_an_event(
    lua: Callable[[str], Result], emulator: Emulator
) -> None:
    """Seed: a purchase of user-123."""
    result = lua(
        """
        local receipt = app.integrations.posthog.posthog_capture_event({
          event = "purchase",
          distinct_id = "user-123",
          properties = {product = "Pro Plan", amount = 49.99}
        })
        return receipt.event
        """
    )
    assert (result.error, result.result) == (None, "purchase")
    assert [event["accepted"] for event in emulator.events()] == [True]


def test_the_seeds_list_of_page_views_prints(lua: Callable[[str], Result]) -> None:
    """Seed: who saw which page since April 2026."""
    result = lua(
        """
        local views = app.integrations.posthog.posthog_list_events({
          event = "$pageview",
          limit = 20,
          after = "2026-04-01T00:00:00Z"
        })
        for _, view in ipairs(views.results) do
          print(view.distinct_id .. " - " .. view.properties.pathname)
        end
        """
    )
    assert result.output.splitlines() == [
        "user-123 - /checkout",
        "anonymous-1 - /",
        "user-456 - /docs",
        "user-123 - /pricing",
        "user-123 - /",
    ]


def test_the_seeds_new_flag_is_for_half_of_all(
    lua: Callable[[str], Result], service: RecordingPostHog
) -> None:
    """Seed: a flag that is on for 50 %; upstream: it was on for everybody."""
    result = lua(
        """
        local flag = app.integrations.posthog.posthog_create_feature_flag({
          name = "New Dashboard",
          key = "new-dashboard",
          active = true,
          rollout_percentage = 50
        })
        return flag.key
        """
    )
    assert (result.error, result.result) == (None, "new-dashboard")
    assert service.state.projects[1].flags[-1]["filters"] == {"groups": [group(50)]}


def test_the_seeds_list_of_dashboards_prints(lua: Callable[[str], Result]) -> None:
    """Seed: name and number of each."""
    result = lua(
        """
        local found = app.integrations.posthog.posthog_list_dashboards({limit = 10})
        for _, dashboard in ipairs(found.results) do
          print(dashboard.name .. " (ID: " .. dashboard.id .. ")")
        end
        """
    )
    assert result.output.splitlines() == ["Product overview (ID: 1)", " (ID: 2)"]


def test_the_seeds_accounts_have_the_same_functions() -> None:
    """Seed: the default account with and without its name, and named ones."""
    code = """
        local posthog = app.integrations.posthog
        local names = {}
        for _, account in ipairs({posthog, posthog.default, posthog.work, posthog.personal}) do
          names[#names + 1] = account.posthog_list_dashboards({limit = 1}).results[1].name
        end
        return names
        """
    with Kosmo(integrations=[posthog], environ={}, emulator=True) as kosmo:
        result = kosmo.run(code)
    assert (result.error, result.result) == (None, ["Product overview"] * 4)
    assert [call.account for call in result.call_log] == ["default", "default", "work", "personal"]


# The official schemas


@pytest.mark.skipif(not API.exists(), reason="the schemas of PostHog are not part of a clone")
@pytest.mark.parametrize(("name", "arguments", "request_"), REQUESTS)
def test_every_request_is_one_of_the_official_schema(
    name: str, arguments: JsonObject, request_: Sent, call: Call, service: RecordingPostHog
) -> None:
    """PostHog: only paths and parameters that it has, and bodies of its form."""
    document = json.loads(Path(API / "posthog.openapi.json").read_text(encoding="utf-8"))
    call(name, **arguments)
    assert len(service.requests) == 1
    check_request(document, service.requests[0])
    del request_


@pytest.mark.skipif(not API.exists(), reason="the schemas of PostHog are not part of a clone")
def test_every_written_body_is_one_of_the_official_schema(
    call: Call, service: RecordingPostHog
) -> None:
    """PostHog: a field that its schema does not have would be ignored."""
    document = json.loads(Path(API / "posthog.openapi.json").read_text(encoding="utf-8"))
    call("capture_event", event="e", distinct_id="u", timestamp="2026-04-01T00:00:00")
    call("create_feature_flag", name="", key="k", rollout_percentage=50)
    call("update_feature_flag", flag_id=2, rollout_percentage=50)
    call("update_feature_flag", flag_id=3, filters={"groups": [group(1)]}, active=True)
    assert len(service.requests) == 5
    for request in service.requests:
        check_request(document, request)


def check_request(document: Any, request: Sent) -> None:
    """Compare a request with its operation."""
    path, _, query = request.path.partition("?")
    parts = path.strip("/").split("/")
    described = path
    if parts[:2] == ["api", "projects"]:
        identifier = "{id}/" if len(parts) > 4 else ""
        described = f"/api/projects/{{project_id}}/{parts[3]}/{identifier}"
    operation = document["paths"][described][request.method.lower()]
    known = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
    assert {pair.partition("=")[0] for pair in query.split("&") if pair} <= known
    if request.body is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        components = {"components": document["components"]}
        Draft202012Validator({**schema, **components}).validate(request.body)
