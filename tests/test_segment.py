"""Segment's eight functions, from Lua to the emulator, over real HTTP."""

import json
import re
from dataclasses import replace
from uuid import UUID

import pytest

from kosmo_lua import Kosmo, Result, __version__
from kosmo_lua.emulator import Emulator
from kosmo_lua.errors import KosmoError
from kosmo_lua.results import Call
from kosmo_lua.testing.invocation import invoke
from kosmo_lua.values import Json, JsonObject
from kosmo_segment import Segment, SegmentCredentials, segment
from kosmo_segment.emulator import SegmentEmulator

WORKSPACE: JsonObject = {
    "id": "emulatedWorkspace00001",
    "name": "My Workspace",
    "slug": "my-workspace",
}

SPELLINGS = {
    "identify_user": ("identify", "segment_identify_user", "segment_identify"),
    "track_event": ("track", "segment_track_event", "segment_track"),
    "page_view": ("page", "segment_page_view", "segment_page"),
    "group": ("segment_group",),
    "get_workspace": ("segment_get_workspace",),
    "list_sources": ("segment_list_sources",),
    "get_source": ("segment_get_source",),
    "get_current_user": ("segment_get_current_user",),
}
"""Every function and its other names, which scripts may use for ever."""

ARGUMENTS: dict[str, JsonObject] = {
    "identify_user": {"userId": "user-42"},
    "track_event": {"event": "Order Completed", "userId": "user-42"},
    "page_view": {"name": "Product Listing", "userId": "user-42"},
    "group": {"groupId": "org-123", "userId": "user-42"},
    "get_workspace": {"slug": "my-workspace"},
    "list_sources": {"slug": "my-workspace"},
    "get_source": {"slug": "my-workspace", "id": "abc123"},
    "get_current_user": {},
}


@pytest.fixture(autouse=True)
def emulator(kosmo_emulator: Emulator) -> Emulator:
    """Send everything to a fresh emulator."""
    return kosmo_emulator


@pytest.fixture
def service(emulator: Emulator) -> SegmentEmulator:
    """Give the emulated Segment, to change its data."""
    service = emulator.service("segment")
    assert isinstance(service, SegmentEmulator)
    return service


def succeed(code: str, *arguments: str) -> Result:
    """Run Lua code that must succeed."""
    result = Kosmo().run(code, arguments=arguments)
    assert result.error is None
    return result


def fail(code: str, *arguments: str) -> tuple[str, str | None]:
    """Run Lua code that must fail, and return the code of the error and its sentence."""
    result = Kosmo().run(code, arguments=arguments)
    assert result.error_info is not None
    return result.error_info.code, result.error


def sent(emulator: Emulator) -> list[JsonObject]:
    """Return what the service recorded, without the time."""
    events = emulator.events("segment")
    return [{name: event[name] for name in event if name != "received_at"} for event in events]


def without_times(event: JsonObject) -> JsonObject:
    """Return a recorded event without its two times, which must be there and be times."""
    message = event["message"]
    assert isinstance(message, dict)
    for name in ("timestamp", "sentAt"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(message[name]))
    rest = {name: message[name] for name in message if name not in ("timestamp", "sentAt")}
    return {**event, "message": rest}


def recorded(kind: str, message: JsonObject, message_id: Json) -> JsonObject:
    """Describe an event that was sent with the emulator's write key, without its times."""
    context: JsonObject = {"library": {"name": "kosmo-lua", "version": __version__}}
    return {
        "integration": "segment",
        "type": kind,
        "path": f"/v1/{kind}",
        "write_key": "emulator-write-key",
        "accepted": True,
        "reason": None,
        "duplicate": False,
        "message": {"type": kind, **message, "messageId": message_id, "context": context},
    }


# Events


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (
            """identify({
                userId = "user-42",
                traits = {name = "Jane Doe", email = "jane@example.com", plan = "pro", role = "admin"}
            })""",
            "identify",
            {
                "userId": "user-42",
                "traits": {
                    "name": "Jane Doe",
                    "email": "jane@example.com",
                    "plan": "pro",
                    "role": "admin",
                },
            },
        ),
        (
            """identify({
                userId = "user-42",
                traits = {plan = "enterprise", upgraded_at = "2026-04-05"}
            })""",
            "identify",
            {
                "userId": "user-42",
                "traits": {"plan": "enterprise", "upgraded_at": "2026-04-05"},
            },
        ),
        (
            """track({
                event = "Order Completed",
                userId = "user-42",
                properties = {
                    revenue = 99.99, currency = "USD", productId = "widget-3000", quantity = 2
                }
            })""",
            "track",
            {
                "event": "Order Completed",
                "userId": "user-42",
                "properties": {
                    "revenue": 99.99,
                    "currency": "USD",
                    "productId": "widget-3000",
                    "quantity": 2,
                },
            },
        ),
        (
            """track({
                event = "CTA Clicked",
                userId = "user-42",
                properties = {button = "Upgrade to Pro", page = "/pricing"}
            })""",
            "track",
            {
                "event": "CTA Clicked",
                "userId": "user-42",
                "properties": {"button": "Upgrade to Pro", "page": "/pricing"},
            },
        ),
        (
            """page({
                name = "Product Listing",
                userId = "user-42",
                properties = {
                    url = "/products/widgets", category = "Widgets", referrer = "https://google.com"
                }
            })""",
            "page",
            {
                "name": "Product Listing",
                "userId": "user-42",
                "properties": {
                    "url": "/products/widgets",
                    "category": "Widgets",
                    "referrer": "https://google.com",
                },
            },
        ),
        (
            """group({
                groupId = "org-123",
                userId = "user-42",
                traits = {
                    name = "Acme Corp", plan = "enterprise",
                    industry = "Technology", employee_count = 250
                }
            })""",
            "group",
            {
                "groupId": "org-123",
                "userId": "user-42",
                "traits": {
                    "name": "Acme Corp",
                    "plan": "enterprise",
                    "industry": "Technology",
                    "employee_count": 250,
                },
            },
        ),
        ('identify({user_id = "u"})', "identify", {"userId": "u"}),
        ('identify("u", {plan = "pro"})', "identify", {"userId": "u", "traits": {"plan": "pro"}}),
        ('track("Signed Up", "u")', "track", {"event": "Signed Up", "userId": "u"}),
        ('group("org-1", "u")', "group", {"groupId": "org-1", "userId": "u"}),
        ('identify({userId = "u", traits = {}})', "identify", {"userId": "u", "traits": {}}),
        ('identify({userId = "u", traits = nil})', "identify", {"userId": "u"}),
        ('identify({userId = "u", traits = json.null})', "identify", {"userId": "u"}),
        (
            """identify({userId = "u", traits = {
                plan = json.null, none = json.array{}, empty = json.object{},
                tags = {"a", "b"}, deep = {{x = {true, false}}}, big = 9007199254740993,
                whole = 3.0, name = "Zoë 🚂"
            }})""",
            "identify",
            {
                "userId": "u",
                "traits": {
                    "plan": None,
                    "none": [],
                    "empty": {},
                    "tags": ["a", "b"],
                    "deep": [{"x": [True, False]}],
                    "big": 9007199254740993,
                    "whole": 3.0,
                    "name": "Zoë 🚂",
                },
            },
        ),
    ],
)
def test_an_event_reaches_segment_as_it_was_written(
    code: str, kind: str, message: JsonObject, emulator: Emulator
) -> None:
    """The card: the examples of the four events work as they stand; and what Lua tables may mean."""
    result = succeed(f"return app.integrations.segment.{code}").result
    assert isinstance(result, dict)
    assert result == {"success": True, "message_id": result["message_id"]}
    events = [without_times(event) for event in sent(emulator)]
    assert events == [recorded(kind, message, result["message_id"])]


def test_every_event_has_an_id_of_its_own(emulator: Emulator) -> None:
    """Segment: an ID counts over all of Segment for 24 hours, so it must not be guessable."""
    code = """
        local ids = {}
        for i = 1, 20 do
            ids[i] = app.integrations.segment.track({event = "e", userId = "u"}).message_id
        end
        return ids
    """
    ids = succeed(code).result
    messages = [event["message"] for event in sent(emulator)]
    assert ids == [isinstance(message, dict) and message["messageId"] for message in messages]
    assert isinstance(ids, list)
    assert len({str(message_id) for message_id in ids}) == 20
    assert {UUID(str(message_id)).version for message_id in ids} == {4}


def test_an_event_may_be_32_kilobytes_of_utf_8(emulator: Emulator) -> None:
    """Segment: 32 KB for the JSON of an event, in bytes; one more is refused here and not sent."""
    code = """
        local pad = string.rep("ü", tonumber(arg[1])) .. string.rep("x", tonumber(arg[2]))
        dump(app.integrations.segment.identify({userId = "u", traits = {pad = pad}}))
    """
    succeed(code, "0", "0")
    smallest = json.dumps(sent(emulator)[0]["message"], separators=(",", ":"))
    room = 32 * 1024 - len(smallest)
    umlauts = room // 2 - 10
    succeed(code, str(umlauts), str(room - 2 * umlauts))
    largest = json.dumps(sent(emulator)[1]["message"], ensure_ascii=False, separators=(",", ":"))
    assert len(largest.encode()) == 32 * 1024
    failure = fail(code, str(umlauts), str(room - 2 * umlauts + 1))
    assert failure == (
        "invalid_arguments",
        "eval:3: segment.identify_user: the event is 32,769 bytes; Segment takes at most 32,768",
    )
    assert len(sent(emulator)) == 2


# The workspace


def test_a_workspace_has_an_id_a_name_and_a_slug() -> None:
    """The card: the example prints ws.name and ws.id."""
    code = """
        local ws = app.integrations.segment.get_workspace({slug = "my-workspace"})
        print(ws.name)
        print(ws.id)
        return ws
    """
    result = succeed(code)
    assert (result.output, result.result) == ("My Workspace\nemulatedWorkspace00001", WORKSPACE)


@pytest.mark.parametrize("slug", ["emulatedWorkspace00001", "workspaces/my-workspace"])
def test_a_workspace_is_also_found_by_its_id_and_its_old_name(slug: str) -> None:
    """Segment: its own SDKs and its older API write a workspace so."""
    code = "return app.integrations.segment.get_workspace({slug = arg[1]})"
    assert succeed(code, slug).result == WORKSPACE


@pytest.mark.parametrize(
    ("function", "more"),
    [("get_workspace", ""), ("list_sources", ""), ("get_source", ', id = "abc123"')],
)
def test_the_slug_of_another_workspace_is_an_error(function: str, more: str) -> None:
    """Segment: a token belongs to one workspace; ours: never the data of one that was not meant."""
    result = Kosmo().run(f'dump(app.integrations.segment.{function}({{slug = "other"{more}}}))')
    assert result.error == (
        f'eval:1: segment.{function}: slug is "other", '
        'but this token belongs to the workspace "my-workspace"'
    )
    assert result.error_info
    assert (result.error_info.code, result.error_info.hint, result.exit_status) == (
        "invalid_arguments",
        'Pass slug = "my-workspace", or use an account whose token is for "other".',
        65,
    )


def test_sources_are_listed_with_name_and_id(service: SegmentEmulator) -> None:
    """The card: the example prints names and IDs; a source without a name shows its slug."""
    code = """
        local result = app.integrations.segment.list_sources({slug = "my-workspace"})
        for _, source in ipairs(result.sources or {}) do
            print(source.name .. " (" .. source.id .. ")")
        end
        return result
    """
    result = succeed(code)
    assert result.output.splitlines() == [
        "Website (abc123)",
        "billing (emulatedSource00000002)",
        "Warehouse (emulatedSource00000003)",
    ]
    assert isinstance(result.result, dict)
    assert [*result.result] == ["sources"]
    listed = result.result["sources"]
    assert isinstance(listed, list)
    website, _, warehouse = listed
    assert website == {
        "id": "abc123",
        "name": "Website",
        "slug": "website",
        "workspace_id": "emulatedWorkspace00001",
        "enabled": True,
        "write_key": "emulatedWebsiteWriteKey000000001",
        "write_keys": ["emulatedWebsiteWriteKey000000001"],
        "metadata": service.sources[0]["metadata"],
        "settings": {},
        "labels": [],
    }
    assert isinstance(warehouse, dict)
    assert warehouse["write_keys"] == []
    assert "write_key" not in warehouse


def test_sources_are_read_to_the_last_page(service: SegmentEmulator) -> None:
    """Segment: 200 a page; the adapter follows the cursor to the end."""
    original = service.sources[0]
    service.sources = [{**original, "id": f"source-{number}"} for number in range(450)]
    code = """
        local result = app.integrations.segment.list_sources({slug = "my-workspace"})
        local ids = {}
        for i, source in ipairs(result.sources) do ids[i] = source.id end
        return ids
    """
    result = succeed(code)
    assert result.result == [f"source-{number}" for number in range(450)]
    assert [call.attempts for call in result.call_log] == [4]


def test_paging_that_does_not_end_is_an_error() -> None:
    """Ours: a service whose cursor leads nowhere cannot keep a workflow for ever."""
    workspace: JsonObject = {"data": {"workspace": WORKSPACE}}
    endless: JsonObject = {"data": {"sources": [], "pagination": {"next": "MQ=="}}}
    asked: list[str] = []

    class Endless(Segment):
        def request(self, method: str, url: str, **_: object) -> Json:
            asked.append(f"{method} {url}")
            return endless if url.endswith("/sources") else workspace

    kosmo = Kosmo(integrations=[replace(segment, api=Endless)])
    with pytest.raises(KosmoError) as caught:
        kosmo.call("segment.list_sources", {"slug": "my-workspace"})
    assert (caught.value.code, len(asked)) == ("service_error", 51)


def test_a_source_has_its_write_key() -> None:
    """The card: the example prints source.name and source.write_key."""
    code = """
        local source = app.integrations.segment.get_source({slug = "my-workspace", id = "abc123"})
        print(source.name)
        print(source.write_key)
        return source.tracking_plan_id == nil
    """
    result = succeed(code)
    assert result.output == "Website\nemulatedWebsiteWriteKey000000001"
    assert result.result is True


def test_a_source_whose_keys_the_token_may_not_see_has_no_write_key(
    service: SegmentEmulator,
) -> None:
    """Segment: writeKeys is empty without the Source Admin permission; ours: then write_key is nil."""
    code = """
        local id = "emulatedSource00000003"
        local source = app.integrations.segment.get_source({slug = "my-workspace", id = id})
        return {key = source.write_key == nil, keys = #source.write_keys, name = source.name}
    """
    assert service.sources[2]["writeKeys"] == []
    assert succeed(code).result == {"key": True, "keys": 0, "name": "Warehouse"}


@pytest.mark.parametrize(
    ("source_id", "message"),
    [
        ("nothing", "Source with id 'nothing' not found."),
        ("?b=c#é %2F&", "Source with id '?b=c#é %2F&' not found."),
        ("../sources", "Not Found"),
        ("..", "Source with id '..' not found."),
    ],
)
def test_a_source_that_does_not_exist_is_an_error(source_id: str, message: str) -> None:
    """Segment: 404 in the words of the service; ours: an ID cannot lead to another path."""
    code = 'dump(app.integrations.segment.get_source({slug = "my-workspace", id = arg[1]}))'
    assert fail(code, source_id) == (
        "service_error",
        f"eval:1: segment.get_source: Segment answered 404: {message}",
    )


def test_the_current_user_is_the_workspace_of_the_token() -> None:
    """The card: the example joins user.email to a text; ours: no address is invented for it."""
    code = """
        local user = app.integrations.segment.get_current_user({})
        print("Authenticated as: " .. user.email)
        return user
    """
    result = succeed(code)
    assert result.output == "Authenticated as: workspace:my-workspace"
    assert result.result == {
        **WORKSPACE,
        "type": "workspace_token",
        "authenticated": True,
        "email": "workspace:my-workspace",
        "workspace": WORKSPACE,
    }


# Names


@pytest.mark.parametrize("function", SPELLINGS)
def test_every_spelling_works_in_lua(function: str, emulator: Emulator) -> None:
    """The card: scripts written for another version keep running; the log has the one name."""
    names = (function, *SPELLINGS[function])
    lines = [
        f"segment{account}.{name}(json.decode(arg[1]))"
        for name in names
        for account in ("", ".default")
    ]
    code = "local segment = app.integrations.segment\n" + "\n".join(lines)
    result = succeed(code, json.dumps(ARGUMENTS[function]))
    assert {call.function for call in result.call_log} == {f"segment.{function}"}
    assert len(result.call_log) == 2 * len(names)
    is_write = "userId" in ARGUMENTS[function]
    assert len(sent(emulator)) == (2 * len(names) if is_write else 0)


@pytest.mark.parametrize("function", SPELLINGS)
def test_every_spelling_works_from_python(function: str) -> None:
    """Ours: an embedder may write what a script may write."""
    with Kosmo() as kosmo:
        for name in (function, *SPELLINGS[function]):
            for path in ("segment.", "integrations.segment.", "app.integrations.segment."):
                assert kosmo.call(f"{path}{name}", ARGUMENTS[function])
        assert kosmo.call(f"segment_{function}", ARGUMENTS[function])


@pytest.mark.parametrize("function", SPELLINGS)
def test_every_spelling_works_in_the_docs(function: str) -> None:
    """The card: docs.read and docs.search know every name."""
    reference = Kosmo().reference
    page = reference.read(f"segment.{function}")
    assert page.startswith(f"# app.integrations.segment.{function}\n")
    for name in (function, *SPELLINGS[function]):
        for path in ("segment.", "integrations.segment.", "app.integrations.segment."):
            assert reference.read(f"{path}{name}") == page
        first = reference.search(name).splitlines()[2]
        assert first.startswith(f"- `segment.{function}`: ")
    assert reference.read(f"segment_{function}") == page


def test_the_namespace_lists_the_functions_by_their_own_names() -> None:
    """Ours: pairs shows each function once, the iterator, and the accounts."""
    code = (
        "local n = {} for name in pairs(app.integrations.segment) do n[#n + 1] = name end return n"
    )
    assert succeed(code).result == sorted([*SPELLINGS, "each_source", "default"])


# What a placeholder means


REQUIRED = {
    "identify_user": 'userId is required (for example userId = "user-42")',
    "track_event": 'event is required (for example event = "Order Completed"); '
    'userId is required (for example userId = "user-42")',
    "page_view": 'name is required (for example name = "Product Listing"); '
    'userId is required (for example userId = "user-42")',
    "group": 'groupId is required (for example groupId = "org-123"); '
    'userId is required (for example userId = "user-42")',
    "get_workspace": 'slug is required (for example slug = "my-workspace")',
    "list_sources": 'slug is required (for example slug = "my-workspace")',
    "get_source": 'slug is required (for example slug = "my-workspace"); '
    'id is required (for example id = "abc123")',
}


@pytest.mark.parametrize("function", REQUIRED)
@pytest.mark.parametrize("arguments", ["({...})", "({})", "()"])
def test_nothing_filled_in_names_what_is_required(
    function: str, arguments: str, emulator: Emulator
) -> None:
    """The card's placeholders: each parameter is named with a valid value, and nothing is sent."""
    assert fail(f"app.integrations.segment.{function}{arguments}") == (
        "invalid_arguments",
        f"eval:1: segment.{function}: {REQUIRED[function]}",
    )
    assert sent(emulator) == []


TABLE = "must be a table with named fields, got the string"


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (
            'identify_user({userId = "example_userId", traits = "example_traits"})',
            f'identify_user: traits {TABLE} "example_traits" (for example traits = {{plan = "pro"}})',
        ),
        (
            'track_event({event = "e", userId = "u", properties = "example_properties"})',
            (
                f'track_event: properties {TABLE} "example_properties" '
                "(for example properties = {revenue = 99.99})"
            ),
        ),
        (
            'page_view({name = "n", userId = "u", properties = "example_properties"})',
            (
                f'page_view: properties {TABLE} "example_properties" '
                '(for example properties = {url = "/products/widgets"})'
            ),
        ),
        (
            'group({groupId = "g", userId = "u", traits = "example_traits"})',
            f'group: traits {TABLE} "example_traits" (for example traits = {{name = "Acme Corp"}})',
        ),
    ],
)
def test_a_placeholder_for_an_object_is_refused(
    call: str, problem: str, emulator: Emulator
) -> None:
    """The card's generated examples: the sentence shows what would do, and nothing is sent."""
    assert fail(f"dump(app.integrations.segment.{call})") == (
        "invalid_arguments",
        f"eval:1: segment.{problem}",
    )
    assert sent(emulator) == []


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (
            'track({evnt = "e", userId = "u"})',
            (
                'track_event: event is required (for example event = "Order Completed"); '
                "unknown parameter evnt, did you mean event?"
            ),
        ),
        (
            "identify({userId = 42})",
            'identify_user: userId must be a string, got the number 42 (write userId = "42")',
        ),
        (
            'identify({userId = ""})',
            'identify_user: userId must not be empty (for example userId = "user-42")',
        ),
        (
            "identify({userId = json.null})",
            'identify_user: userId must be a string, got null (for example userId = "user-42")',
        ),
        (
            'identify({userId = "u", traits = {1, 2}})',
            (
                "identify_user: traits must be a table with named fields, got a list "
                '(for example traits = {plan = "pro"})'
            ),
        ),
        (
            'identify({userId = "u", user_id = "v"})',
            "identify_user: userId is given twice, as userId and as user_id",
        ),
        (
            "get_current_user({x = 1})",
            "get_current_user: unknown parameter x (it takes none)",
        ),
        (
            'identify({"u"})',
            (
                "identify_user: arguments are a table with names, "
                "such as {userId = ..., traits = ...}, got a list"
            ),
        ),
        (
            'identify("u", {}, 3)',
            "identify_user: it takes 2 arguments (userId, traits), got 3",
        ),
        (
            'track("e", nil, {})',
            'track_event: userId is required (for example userId = "user-42")',
        ),
        (
            f'get_source({{slug = "my-workspace", id = "{"x" * 256}"}})',
            (
                "get_source: id string should have at most 255 characters, "
                f'got the string "{"x" * 40}..." (for example id = "abc123")'
            ),
        ),
    ],
)
def test_wrong_arguments_are_refused_with_what_is_right(
    call: str, problem: str, emulator: Emulator
) -> None:
    """Ours: all problems in one sentence, and nothing is sent."""
    assert fail(f"app.integrations.segment.{call}") == (
        "invalid_arguments",
        f"eval:1: segment.{problem}",
    )
    assert sent(emulator) == []


# Hosts


@pytest.mark.parametrize(
    ("settings", "tracking", "public"),
    [
        ({}, "https://api.segment.io", "https://api.segmentapis.com"),
        ({"region": "us"}, "https://api.segment.io", "https://api.segmentapis.com"),
        (
            {"region": "eu"},
            "https://events.eu1.segmentapis.com",
            "https://eu1.api.segmentapis.com",
        ),
        (
            {"region": "eu", "tracking_url": "https://proxy.example.com/v1/"},
            "https://proxy.example.com",
            "https://eu1.api.segmentapis.com",
        ),
        (
            {"api_url": "http://localhost:8790/"},
            "https://api.segment.io",
            "http://localhost:8790",
        ),
    ],
)
def test_each_api_is_asked_at_the_host_of_its_region(
    settings: dict[str, str], tracking: str, public: str
) -> None:
    """Segment: two APIs, two regions, four hosts; ours: an address replaces one of them."""
    asked: list[str] = []

    class Noting(Segment):
        def request(self, method: str, url: str, **_: object) -> Json:
            asked.append(f"{method} {url}")
            return {"data": {"workspace": WORKSPACE, "sources": [], "source": {}}}

    api = Noting(SegmentCredentials.model_validate(settings))
    for name, arguments in ARGUMENTS.items():
        invoke(segment.functions[name], api, arguments)
    assert asked == [
        f"POST {tracking}/v1/identify",
        f"POST {tracking}/v1/track",
        f"POST {tracking}/v1/page",
        f"POST {tracking}/v1/group",
        f"GET {public}/",
        f"GET {public}/",
        f"GET {public}/sources",
        f"GET {public}/",
        f"GET {public}/sources/abc123",
        f"GET {public}/",
    ]


# Accounts


def test_every_account_has_its_own_key(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card: default, production and staging are the same functions with other credentials."""
    for account in ("production", "staging"):
        monkeypatch.setenv(f"KOSMO_SEGMENT__{account.upper()}__WRITE_KEY", f"{account}-key")
        monkeypatch.setenv(f"KOSMO_SEGMENT__{account.upper()}__TRACKING_URL", emulator.url)
    code = """
        local segment = app.integrations.segment
        segment.track({event = "e", userId = "u"})
        segment.default.track({event = "e", userId = "u"})
        segment.production.track({event = "e", userId = "u"})
        segment.staging.track_event({event = "e", userId = "u"})
    """
    result = succeed(code)
    assert [event["write_key"] for event in sent(emulator)] == [
        "emulator-write-key",
        "emulator-write-key",
        "production-key",
        "staging-key",
    ]
    assert [call.account for call in result.call_log] == [
        "default",
        "default",
        "production",
        "staging",
    ]


def test_the_log_tells_what_a_call_did() -> None:
    """Ours: one entry for each call, with what was sent and what came back."""
    result = succeed(
        'app.integrations.segment.identify({userId = "u"}) '
        'app.integrations.segment.get_source({slug = "my-workspace", id = "abc123"})'
    )
    assert [call._replace(duration_ms=0) for call in result.call_log] == [
        Call("segment.identify_user", "default", "write", "sent", 200, attempts=1),
        Call("segment.get_source", "default", "read", "sent", 200, attempts=2),
    ]
    assert all(call.duration_ms > 0 for call in result.call_log)
