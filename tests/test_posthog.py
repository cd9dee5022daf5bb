"""PostHog's functions on its emulator, over real HTTP: what they send, return, refuse and warn of."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from posthog_service import (
    EVENT,
    PERSON,
    Call,
    Lua,
    RecordingPostHog,
    Sent,
    failure,
    get,
    group,
)

from kosmo_lua import Kosmo, __version__
from kosmo_lua.emulator import Emulator
from kosmo_lua.testing import check_integration
from kosmo_lua.values import JsonObject
from kosmo_posthog import posthog


def test_it_is_what_an_integration_must_be() -> None:
    """Ours: names, docs, schemas, secrets, examples on the emulator."""
    check_integration(posthog)


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


# What is sent


LIBRARY: JsonObject = {"$lib": "kosmo-lua", "$lib_version": __version__, "$geoip_disable": True}
"""What our adapter says of itself in each event."""


@pytest.mark.parametrize(("name", "arguments", "request_"), REQUESTS)
def test_a_call_is_one_request_with_the_personal_key(
    name: str, arguments: JsonObject, request_: Sent, call: Call, recorder: RecordingPostHog
) -> None:
    """PostHog: path, query and body of each function, and nothing beside."""
    call(name, **arguments)
    assert recorder.requests == [request_]
    assert [str(agent).partition("/")[0] for agent in recorder.agents] == ["kosmo-lua"]


def test_an_event_is_captured_with_the_project_key(call: Call, recorder: RecordingPostHog) -> None:
    """PostHog: the key in the body and no header; ours: UUID and time are fixed before it is sent."""
    result = call(
        "capture_event", event="purchase", distinct_id="user-123", properties={"amount": 49.99}
    )
    body: JsonObject = {
        "api_key": "phc_emulator",
        "event": "purchase",
        "distinct_id": "user-123",
        "properties": {**LIBRARY, "amount": 49.99},
        "timestamp": result["timestamp"],
        "uuid": result["uuid"],
    }
    assert recorder.requests == [Sent("POST", "/i/v0/e/", None, body)]
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
def test_a_time_is_sent_as_utc(
    given: str, sent: str, call: Call, posthog_emulator: Emulator
) -> None:
    """Ours: a time without a zone is UTC, not the project's time."""
    call("capture_event", event="e", distinct_id="u", timestamp=given)
    message = posthog_emulator.events()[0]["message"]
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
    given: str, sent: str, call: Call, recorder: RecordingPostHog
) -> None:
    """PostHog: a time without a zone would be the project's; a day and a span are taken, too."""
    call("list_events", after=given, before=given)
    assert recorder.requests == [get(f"events/?limit=100&after={sent}&before={sent}")]


def test_own_properties_win_and_an_empty_table_is_an_object(
    lua: Lua, recorder: RecordingPostHog
) -> None:
    """Ours: what a script says about the library stands; Lua's `{}` is no list."""
    result = lua(
        'posthog.capture_event{event = "e", distinct_id = "u", properties = {}}'
        'posthog.capture_event("e", "u", {["$lib"] = "mine", list = json.array({})})'
    )
    assert result.success, result.error
    sent = [request.body["properties"] for request in recorder.requests]  # type: ignore[index,call-overload]  # an object
    assert sent == [
        LIBRARY,
        LIBRARY | {"$lib": "mine", "list": []},
    ]


def test_events_and_reads_go_to_their_own_hosts(
    account: dict[str, str], recorder: RecordingPostHog
) -> None:
    """PostHog: the ingestion host serves no API; the personal key never goes there."""
    with Emulator({"posthog": f"{__name__}:RecordingPostHog"}) as ingestion:
        account["KOSMO_POSTHOG_INGESTION_URL"] = ingestion.url
        with Kosmo(integrations=[posthog], environ=account) as kosmo:
            kosmo.call("posthog.capture_event", {"event": "e", "distinct_id": "u"})
            kosmo.call("posthog.list_cohorts")
        other = ingestion.service("posthog")
        assert isinstance(other, RecordingPostHog)
        assert [request.path for request in other.requests] == ["/i/v0/e/"]
    assert [request.path for request in recorder.requests] == [
        "/api/projects/1/cohorts/?limit=100"
    ]


# What is refused before it is sent


EXAMPLE: JsonObject = {"event": "example_event", "distinct_id": "example_distinct_id"}
NO_TIME = "must be an ISO 8601 time such as 2026-04-01T00:00:00Z, got"


def test_the_seeds_generated_example_names_a_valid_value(call: Call) -> None:
    """Seed: it passes texts such as "example_properties" for everything."""
    placeholders = {"properties": "example_properties", "timestamp": "example_timestamp"}
    assert failure(call, "capture_event", **EXAMPLE, **placeholders).message == (
        "posthog.posthog_capture_event: properties must be a table with named fields, got the string"
        ' "example_properties" (for example properties = {product = "Pro Plan"}); timestamp must be an'
        ' ISO 8601 time such as 2026-04-01T00:00:00Z, got the string "example_timestamp" (for example'
        ' timestamp = "2026-04-01T10:00:00Z")'
    )


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("capture_event", {"distinct_id": "u"}, "event is required"),
        ("capture_event", {"event": "e", "distinct_id": ""}, "distinct_id must not be empty"),
        ("capture_event", {"event": "e", "distinct_id": 4}, "distinct_id must be a string, got"),
        ("capture_event", EXAMPLE | {"properties": "p"}, "properties must be a table with named"),
        ("capture_event", EXAMPLE | {"timestamp": "example_timestamp"}, f"timestamp {NO_TIME}"),
        (
            "capture_event",
            EXAMPLE | {"timestamp": "2026-04-01"},
            "timestamp must be a time and not",
        ),
        ("list_events", {"after": "example_after"}, f"after {NO_TIME}"),
        ("list_events", {"before": "0001-01-01T00:00:00+05:00"}, f"before {NO_TIME}"),
        ("list_events", {"offset": 50_001}, "offset should be less than or equal to 50000, got"),
        ("list_events", {"limit": 0}, "limit should be greater than or equal to 1, got"),
        ("list_events", {"person_id": "user-123"}, "person_id must be the UUID of a person"),
        ("get_event", {"event_id": "example_event_id"}, "event_id must be a UUID, got"),
        ("get_person", {"person_id": "user-123"}, "person_id must be the UUID of a person"),
        ("get_feature_flag", {"flag_id": "new-search"}, "flag_id must be a whole number, got"),
        ("create_feature_flag", {"name": "n", "key": "a b"}, "key must be 1 to 400 letters"),
        (
            "create_feature_flag",
            {"name": "n", "key": "k", "rollout_percentage": 101},
            "rollout_percentage should be less than or equal to 100, got",
        ),
        (
            "create_feature_flag",
            {"name": "n", "key": "k", "rollout_percentage": True},
            "rollout_percentage must be a whole number, got true",
        ),
        (
            "create_feature_flag",
            {"name": "n", "key": "k", "filters": {"groups": "all"}},
            "filters.groups must be a list of tables",
        ),
        ("update_feature_flag", {"flag_id": 2, "filters": {}}, "filters must have groups, for"),
        ("update_feature_flag", {"flag_id": 2}, "there is nothing to change: pass active"),
        ("list_insights", {"type": "trends"}, "type should be 'TRENDS', 'FUNNELS'"),
        ("list_cohorts", {"limits": 5}, "unknown parameter limits, did you mean limit?"),
    ],
)
def test_wrong_arguments_send_nothing(
    name: str, arguments: JsonObject, problem: str, call: Call, recorder: RecordingPostHog
) -> None:
    """Ours: the parameter, what it got and a valid value; the seed's placeholders are such arguments."""
    error = failure(call, name, **arguments)
    assert (error.code, error.effect) == ("invalid_arguments", "none")
    assert error.message.startswith(f"posthog.posthog_{name}: {problem}")
    assert recorder.requests == []


def test_an_event_of_more_than_900_kilobytes_is_not_sent(
    call: Call, recorder: RecordingPostHog
) -> None:
    """PostHog: it would be dropped; ours: the limit is in bytes."""
    error = failure(
        call, "capture_event", event="e", distinct_id="u", properties={"text": "ü" * 460_800}
    )
    assert error.code == "invalid_arguments"
    assert "PostHog takes at most 921,600" in error.message
    assert recorder.requests == []


# Events


def test_an_event_is_listed_after_it_was_captured(call: Call) -> None:
    """Ours: the emulator is one service, as PostHog is."""
    captured = call("capture_event", event="e", distinct_id="new", properties={"a": [1, {}]})
    listed = call("list_events", event="e", after="-1h")["results"]
    assert [event["id"] for event in listed] == [captured["uuid"]]
    assert listed[0]["properties"] == LIBRARY | {"a": [1, {}]}
    assert call("get_event", event_id=captured["uuid"]) == listed[0]


def test_pathname_is_offered_where_there_is_only_its_dollar_name(
    call: Call, recorder: RecordingPostHog
) -> None:
    """Seed: its example prints `properties.pathname`, which PostHog calls `$pathname`."""
    assert call("get_event", event_id=EVENT)["properties"] == {
        "pathname": "/",
        "$pathname": "/",
        "$lib": "web",
    }
    properties = recorder.state.projects[1].events[1]["properties"]
    assert isinstance(properties, dict)
    properties["pathname"] = "/own"
    assert call("get_event", event_id=EVENT)["properties"]["pathname"] == "/own"
    signup = call("get_event", event_id="0196F1C2-0000-7000-8000-000000000007")
    assert signup["properties"] == {"plan": "free"}


def test_what_a_list_of_events_leaves_out_gives_a_warning(
    lua: Lua, recorder: RecordingPostHog
) -> None:
    """PostHog: it looks back 24 hours without `after`, and cuts a list to 1,000, without a word."""
    result = lua("return #posthog.list_events({limit = 1001}).results")
    assert (result.success, result.result) == (True, 0)
    assert list(result.warnings) == [
        "PostHog lists the events of the last 24 hours only, unless `after` says more.",
        "PostHog lists at most 1,000 events; page with `before`.",
    ]
    assert recorder.requests == [get("events/?limit=1000")]


def test_a_distinct_id_that_is_cut_gives_a_warning(lua: Lua) -> None:
    """PostHog: it keeps 200 characters, without a word."""
    result = lua('posthog.capture_event{event = "e", distinct_id = ("x"):rep(201)}')
    assert list(result.warnings) == ["PostHog cuts a distinct_id to its first 200 characters."]


def test_an_event_over_the_quota_gives_a_warning(posthog_emulator: Emulator, lua: Lua) -> None:
    """PostHog: 200 all the same, because clients would only send it again."""
    posthog_emulator.fault(body='{"status": "Ok", "quota_limited": ["events"]}')
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


# Names


@pytest.mark.parametrize("short", [*posthog.functions])
def test_every_spelling_means_the_function(short: str) -> None:
    """Seed: `posthog_NAME`; ours: the short name too, in Lua, in the docs and for accounts."""
    name = f"posthog_{short}"
    with Kosmo(integrations=[posthog], environ={}, emulator=True) as kosmo:
        for spelling in (name, f"posthog.{name}", f"posthog.{short}", f"posthog.work.{name}"):
            assert kosmo.catalog.resolve(spelling).function.name == name
        for path in (name, short, f"default.{name}", f"work.{short}"):
            page = kosmo.reference.read(f"app.integrations.posthog.{path}")
            assert page.startswith(f"# app.integrations.posthog.{name}\n")
        for word in (name, short, f"posthog.{name}"):
            assert f"`posthog.{name}`" in kosmo.reference.search(word)
        code = (
            "local p = app.integrations.posthog; return type(p[arg[1]]), type(p.default[arg[2]])"
        )
        assert kosmo.run(code, arguments=[name, short]).result == ["function", "function"]


def test_the_docs_show_the_names_of_the_seed(lua: Lua) -> None:
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


def test_the_seeds_first_workflow_captures_an_event(lua: Lua, posthog_emulator: Emulator) -> None:
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
    assert [event["accepted"] for event in posthog_emulator.events()] == [True]


def test_the_seeds_list_of_page_views_prints(lua: Lua) -> None:
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


def test_the_seeds_new_flag_is_for_half_of_all(lua: Lua, recorder: RecordingPostHog) -> None:
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
    assert recorder.state.projects[1].flags[-1]["filters"] == {"groups": [group(50)]}


def test_the_seeds_list_of_dashboards_prints(lua: Lua) -> None:
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
