"""`each_*`: lists that are read to their end, page by page, the next page while Lua works on this one."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import Finished
from posthog_service import PERSON, Call, Lua, RecordingPostHog, Sent, failure
from raw_service import Answer, RawService, Received, web

from kosmo_lua import Kosmo, Limits, Result
from kosmo_lua.emulator import Emulator
from kosmo_lua.values import Json, JsonObject

pytestmark = pytest.mark.usefixtures("retries")

Run = Callable[[str], Result]


def value_of(result: Result) -> Any:
    """Return the value of a script that must have succeeded."""
    assert result.error is None
    return result.result


def paged(pages: int, rows: int = 3) -> Callable[[Received], Answer]:
    """Answer with numbered rows, on so many pages."""

    def answer(request: Received) -> Answer:
        if request.path != "/rows":
            return Answer(body={})
        page = int(request.query["page"])
        listed: list[Json] = [page * rows + row for row in range(rows)]
        return Answer(body={"rows": listed, "more": page + 1 < pages})

    return answer


@pytest.fixture
def environ(service: RawService) -> dict[str, str]:
    """Return the variables of an account of the service."""
    return {"KOSMO_WEB_URL": service.url, "KOSMO_WEB_WRITE": "allow"}


@pytest.fixture
def web_lua(service: RawService, environ: dict[str, str]) -> Run:
    """Run Lua, with the namespace of the service as `web`; it has five pages of three rows."""
    service.answer = paged(5)
    kosmo = Kosmo(integrations=[web], environ=environ, retry_budget=0)
    return lambda code: kosmo.run(f"local web = app.integrations.web {code}")


ALL = "local all = {} for row in web.each_row() do all[#all + 1] = row end return all"


@pytest.mark.parametrize("name", ["posthog_each_person", "posthog.nightly.each_person"])
def test_every_spelling_of_an_iterator_and_every_account_of_the_emulator_is_one(name: str) -> None:
    """Ours: also where `app` does not list the name."""
    names = "local n = {} for p in app.integrations.%s() do n[#n + 1] = p.name end return n"
    with Kosmo(environ={}, emulator=True) as kosmo:
        listed = value_of(kosmo.run(names % "posthog.each_person"))
        assert value_of(kosmo.run(names % name)) == listed
    assert len(listed) > 1


def test_every_row_comes_once_and_in_order(web_lua: Run, service: RawService) -> None:
    """The issue: to the end of the list; each page is a call, of the function that lists."""
    result = web_lua(ALL)
    assert value_of(result) == [*range(15)]
    assert [request.query["page"] for request in service.requests] == ["0", "1", "2", "3", "4"]
    assert [call.function for call in result.call_log] == ["web.list_rows"] * 5
    assert {call.effect for call in result.call_log} == {"sent"}


def test_shapes_of_rows_take_no_memory_of_the_script(
    environ: dict[str, str], service: RawService
) -> None:
    """Ours: where each page has other keys, and long ones, its constructor is not kept."""

    def answer(request: Received) -> Answer:
        page = int(request.query["page"])
        row: Json = {f"{page}-{key}".ljust(2000, "k"): 1 for key in range(100)}
        return Answer(body={"rows": [row] * 16, "more": page < 19})

    service.answer = answer
    limits = Limits(memory=4_000_000)
    with Kosmo(integrations=[web], environ=environ, retry_budget=0, limits=limits) as kosmo:
        result = kosmo.run(
            "local n = 0 for row in app.integrations.web.each_row() do n = n + 1 end return n"
        )
    assert value_of(result) == 320


def test_next_page_is_fetched_while_the_script_works(web_lua: Run, service: RawService) -> None:
    """The issue: its request comes before the rows of this one are used up, and no further one does."""
    reached = threading.Event()
    plain = paged(5)

    def answer(request: Received) -> Answer:
        if request.path == "/rows" and request.query["page"] == "1":
            reached.set()
        elif request.path == "/work":
            assert reached.wait(20)
        return plain(request)

    service.answer = answer
    result = web_lua("for row in web.each_row() do web.get{path = 'work'} return row end")
    assert value_of(result) == 0
    assert sorted(request.path for request in service.requests) == ["/rows", "/rows", "/work"]


def test_break_stops_at_most_one_page_ahead(web_lua: Run, service: RawService) -> None:
    """The issue: what is under way ends, and is in the log as it ended."""
    result = web_lua("for row in web.each_row() do break end web.get{path = 'x'} return true")
    assert value_of(result) is True
    assert len([request for request in service.requests if request.path == "/rows"]) <= 2
    assert [call.error for call in result.call_log] == [None] * len(service.requests)
    assert result.meta.calls.unknown == 0


def test_error_and_goto_stop_it_as_well(web_lua: Run, service: RawService) -> None:
    """Ours: in whatever way the loop is left."""
    code = "pcall(function() for row in web.each_row() do error('x') end end) return true"
    assert value_of(web_lua(code)) is True
    assert len(service.requests) <= 2


def test_failing_page_raises_at_the_line_of_the_loop(web_lua: Run, service: RawService) -> None:
    """The issue: with the error of the call; pcall catches it; the rows before it were given."""
    plain = paged(5)
    service.answer = lambda request: (
        Answer(400, {}) if request.query.get("page") == "2" else plain(request)
    )
    result = web_lua("""
    local last
    local ok, err = pcall(function()
        for row in web.each_row() do
            last = row
        end
    end)
    return ok, err.code, err.status, err.line, err["function"], last""")
    assert value_of(result) == [False, "service_error", 400, 4, "web.list_rows", 5]


def test_iterator_can_be_called_outside_of_a_loop(web_lua: Run) -> None:
    """Ours: as any iterator of Lua; after the end it stays at the end."""
    result = web_lua("""
    local it = web.each_row{limit = 3}
    local count = 0
    while it() do count = count + 1 end
    return count, it(), it()""")
    assert value_of(result) == [15, None, None]


def test_wrong_arguments_send_nothing(web_lua: Run, service: RawService) -> None:
    """Ours: unknown ones, a wrong type; they are the parameters of the function that lists."""
    result = web_lua("""
    local _, a = pcall(web.each_row, {limt = 3})
    local _, b = pcall(web.each_row, {limit = "3"})
    local _, c = pcall(web.each_row, 3, 4)
    return a.code, b.code, c.code""")
    assert value_of(result) == ["invalid_arguments"] * 3
    assert service.requests == []


def test_arguments_by_position(web_lua: Run, service: RawService) -> None:
    """Ours: as of any function."""
    assert value_of(web_lua("return web.each_row(3)()")) == 0
    assert service.requests[0].query["limit"] == "3"


def test_empty_list_and_empty_pages(web_lua: Run, service: RawService) -> None:
    """Ours: a page without rows is no end as long as another one follows."""

    def answer(request: Received) -> Answer:
        page = int(request.query["page"])
        return Answer(body={"rows": [7] if page == 2 else [], "more": page < 3})

    service.answer = answer
    assert value_of(web_lua(ALL)) == [7]
    service.answer = lambda _: Answer(body={"rows": [], "more": False})
    assert value_of(web_lua(ALL)) == []


def test_two_lists_at_once(web_lua: Run) -> None:
    """Ours: loops go into each other."""
    code = """
    local sum = 0
    for a in web.each_row() do for b in web.each_row() do sum = sum + a * b end end
    return sum"""
    assert value_of(web_lua(code)) == sum(range(15)) ** 2


def test_inside_tasks_and_as_the_items_of_tasks(web_lua: Run) -> None:
    """The issue: each_* inside parallel, and as items of parallel.map."""
    result = web_lua("""
    local squares = parallel.map(web.each_row(), function(row) web.get{path = "x"} return row * row end)
    local counts = parallel.map({1, 2, 3}, function()
        local count = 0
        for row in web.each_row() do count = count + 1 end
        return count
    end)
    return squares, counts""")
    assert value_of(result) == [[n * n for n in range(15)], [15, 15, 15]]


def test_several_tasks_share_an_iterator(web_lua: Run) -> None:
    """Ours: workers that take from one list; each row goes to one of them."""
    result = web_lua("""
    local it, seen = web.each_row(), {}
    local function work()
        for row in it do
            seen[#seen + 1] = row
            web.get{path = "work"}
        end
        return true
    end
    local done = parallel.all{a = work, b = work, c = work, d = work}
    table.sort(seen)
    return seen, done""")
    assert value_of(result) == [[*range(15)], dict.fromkeys("abcd", True)]


def test_limit_of_calls_counts_pages(service: RawService, environ: dict[str, str]) -> None:
    """The issue: never more requests than that, neither by the page ahead nor by lists that nobody reads."""
    service.answer = paged(5)
    for limit, succeeds in ((5, True), (4, False)):
        service.requests.clear()
        kosmo = Kosmo(integrations=[web], environ=environ, limits=Limits(calls=limit))
        result = kosmo.run(f"local web = app.integrations.web {ALL}")
        assert result.success is succeeds
        assert len(service.requests) == limit
    service.requests.clear()
    kosmo = Kosmo(integrations=[web], environ=environ, limits=Limits(calls=4))
    with kosmo.session() as session:
        result = session.run("while true do pcall(app.integrations.web.each_row) end")
    assert result.error_info is not None
    assert result.error_info.code == "call_limit"
    assert len(service.requests) <= 4  # the end of the run may come before the last of them leaves


def test_page_ahead_costs_no_call_that_is_needed(
    service: RawService, environ: dict[str, str]
) -> None:
    """Ours: with calls for two pages, the rows of two pages come."""
    service.answer = paged(5)
    kosmo = Kosmo(integrations=[web], environ=environ, limits=Limits(calls=2))
    code = "local it, last = app.integrations.web.each_row() for n = 1, 6 do last = it() end return last"
    assert value_of(kosmo.run(code)) == 5


@pytest.mark.parametrize("rule", ["web.list_rows", "web.each_row"])
def test_rule_about_the_list_holds_for_its_iterator(
    service: RawService, environ: dict[str, str], home: Any, rule: str
) -> None:
    """The issue: whoever denies list_* denies each_*, too; and the iterator can be denied alone."""
    (home / "config.toml").write_text(f'[policy]\n"{rule}" = "deny"\n')
    environ["KOSMO_HOME"] = str(home)
    result = Kosmo(integrations=[web], environ=environ).run("app.integrations.web.each_row()")
    assert result.error_info is not None
    assert result.error_info.code == "denied"
    assert service.requests == []


def test_memory_is_flat_over_many_pages(service: RawService, environ: dict[str, str]) -> None:
    """The issue: of Lua; a page is forgotten when the next one comes, also of loops that were left."""
    code = """
    local web, count = app.integrations.web, 0
    for row in web.each_row() do count = count + 1 end
    for n = 1, 20 do for row in web.each_row() do break end end
    return count"""
    peaks = []
    for pages in (100, 400):
        service.answer = paged(pages, rows=100)
        result = Kosmo(integrations=[web], environ=environ).run(code)
        assert value_of(result) == pages * 100
        peaks.append(result.memory_usage)
    assert peaks[1] < peaks[0] + 300_000


def test_without_a_script_all_rows_are_one_list(
    service: RawService, environ: dict[str, str]
) -> None:
    """The issue: Kosmo.call."""
    service.answer = paged(3)
    with Kosmo(integrations=[web], environ=environ) as kosmo:
        assert kosmo.call("web.each_row", {"limit": 3}) == [*range(9)]


# Of the services: the emulators, with more data.

NOW = datetime.now(UTC)


def events(*ages: float) -> list[JsonObject]:
    """Make events of these ages in seconds, numbered in the order of the list."""
    return [
        {
            "id": f"0196f1c2-0000-7000-8000-{number:012}",
            "event": "e",
            "distinct_id": "d",
            "properties": {},
            "timestamp": (NOW - timedelta(seconds=age)).isoformat(),
        }
        for number, age in enumerate(ages)
    ]


def numbered(rows: list[JsonObject], count: int) -> list[JsonObject]:
    """Multiply a seeded row, each with an ID of its own."""
    return [{**rows[0], "id": number, "key": f"k{number}"} for number in range(1, count + 1)]


LISTS = {
    "feature_flag": "flags",
    "insight": "insights",
    "dashboard": "dashboards",
    "cohort": "cohorts",
}


@pytest.mark.parametrize("name", LISTS)
def test_list_of_posthog_is_read_to_its_end(
    lua: Lua, recorder: RecordingPostHog, name: str
) -> None:
    """The issue: each_feature_flag, each_insight, each_dashboard, each_cohort."""
    project = recorder.state.projects[1]
    shown = [row for row in getattr(project, LISTS[name]) if not row.get("deleted")]
    setattr(project, LISTS[name], numbered([{**shown[0], "saved": True}], 25))
    result = lua(f"""
    local ids = {{}}
    for row in posthog.each_{name}{{limit = 10}} do ids[#ids + 1] = row.id end
    table.sort(ids)
    return ids""")
    assert value_of(result) == [*range(1, 26)]
    assert len(recorder.requests) == 3


def persons(count: int, first: int = 0) -> list[JsonObject]:
    """Make persons, the latest first."""
    return [
        {
            "id": number,
            "uuid": f"0196f1c2-0000-7000-8000-{number:012}",
            "name": f"p{number}",
            "distinct_ids": [f"d{number}"],
            "properties": {},
            "created_at": (NOW - timedelta(seconds=number)).isoformat(),
        }
        for number in range(first, first + count)
    ]


class Meanwhile(list[Sent]):
    """The memory for requests, which does something when a certain one comes."""

    def __init__(self, number: int, act: Callable[[], object]) -> None:
        super().__init__()
        self._number = number
        self._act = act

    def append(self, sent: Sent) -> None:
        """Remember a request."""
        super().append(sent)
        if len(self) == self._number:
            self._act()


def test_persons_that_move_to_the_next_page_come_once(
    lua: Lua, recorder: RecordingPostHog
) -> None:
    """The issue: a new person moves all others on; who was given is not given again."""
    project = recorder.state.projects[1]
    project.persons = persons(35)

    def add() -> None:
        project.persons = [*persons(2, first=-2), *project.persons]

    recorder.requests = Meanwhile(2, add)
    result = lua("""
    local ids = {}
    for person in posthog.each_person{limit = 10} do ids[#ids + 1] = person.id end
    return ids""")
    assert value_of(result) == [*range(35)]


def test_next_on_another_host_is_refused(call: Call, recorder: RecordingPostHog) -> None:
    """The issue: the key goes nowhere else."""
    del recorder
    with RawService() as other:
        other.answer = lambda request: Answer(
            body={
                "results": [{"id": request.path}],
                "next": "https://evil.example.com/?offset=100",
            }
        )
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        environ = {
            "KOSMO_POSTHOG_URL": other.url,
            "KOSMO_POSTHOG_API_TOKEN": "phx_a",
            "KOSMO_POSTHOG_PROJECT_ID": "1",
        }
        with Kosmo(environ=environ, retry_budget=0) as kosmo:
            result = kosmo.run("""
            local seen = 0
            local ok, err = pcall(function()
                for person in app.integrations.posthog.each_person() do seen = seen + 1 end
            end)
            return seen, err.code, err.message""")
        other.shutdown()
        thread.join()
    seen, code, message = value_of(result)
    assert (seen, code, len(other.requests)) == (1, "service_error", 1)
    assert "evil.example.com" in message
    assert failure(call, "each_person", limit=0).code == "invalid_arguments"


EVENTS: dict[str, list[float]] = {
    "each at its own time": [float(age) for age in range(100, 135)],
    "some at the time of the border": [100.0] * 7 + [101.0] * 9 + [102.0] * 3 + [103.0] * 5,
    "a page of one time": [100.0] * 10 + [200.0] * 10 + [300.0],
    "many pages of one time": [100.0, *[200.0] * 55, 300.0, 400.0],
    "long pauses": [10.0] * 6 + [100.0] * 6 + [2000.0] * 6 + [50_000.0] * 6,
    "nothing": [],
    "exactly a page": [float(age) for age in range(10)],
}


@pytest.mark.parametrize("case", EVENTS)
def test_every_event_comes_once(lua: Lua, recorder: RecordingPostHog, case: str) -> None:
    """The issue: also where many have the same time; the latest first."""
    recorder.state.projects[1].events = events(*EVENTS[case])
    result = lua("""
    local ids = {}
    for event in posthog.each_event{limit = 10} do ids[#ids + 1] = tonumber(event.id:sub(-12), 10) end
    return ids""")
    assert value_of(result) == [*range(len(EVENTS[case]))]


def test_events_without_after_are_those_of_a_day(lua: Lua, recorder: RecordingPostHog) -> None:
    """The issue: the silent limit of the service is a warning, and does not move from page to page."""
    day = 24 * 3600.0
    recorder.state.projects[1].events = events(*(age * day / 20 for age in range(60)))
    count = "local n = 0 for _ in posthog.each_event{limit = 5, %s} do n = n + 1 end return n"
    result = lua(count % "")
    assert value_of(result) == 20
    [warning] = result.warnings
    assert "24 hours" in warning
    result = lua(count % "after = '-30d'")
    assert (value_of(result), result.warnings) == (60, ())
    before = (NOW - timedelta(days=1)).isoformat()
    assert value_of(lua(count % f"before = '{before}'")) == 19


def test_events_that_come_meanwhile_change_nothing(lua: Lua, recorder: RecordingPostHog) -> None:
    """The issue: pages are asked for by `before`, never by an offset, which would move."""
    project = recorder.state.projects[1]
    project.events = events(*(float(age) for age in range(100, 135)))

    def add() -> None:
        late: list[JsonObject] = [{**event, "id": PERSON} for event in events(50.0)]
        project.events = [*late, *project.events]

    recorder.requests = Meanwhile(2, add)
    result = lua("""
    local ids = {}
    for event in posthog.each_event{limit = 10} do
        ids[#ids + 1] = tonumber(event.id:sub(-12), 10)
    end
    return ids""")
    assert value_of(result) == [*range(35)]
    assert not [sent for sent in recorder.requests if "offset" in sent.path]


def test_events_that_come_again_and_again_are_an_error(
    service: RawService, environ: dict[str, str]
) -> None:
    """Ours: a server that does not look at `before` is not asked for ever."""
    rows: list[Json] = [*events(*[100.0] * 10)]
    service.answer = lambda _: Answer(body={"results": rows, "next": "x"})
    environ |= {
        "KOSMO_POSTHOG_URL": service.url,
        "KOSMO_POSTHOG_API_TOKEN": "phx_a",
        "KOSMO_POSTHOG_PROJECT_ID": "1",
    }
    with Kosmo(environ=environ) as kosmo:
        result = kosmo.run("for _ in app.integrations.posthog.each_event{limit = 10} do end")
    assert result.error is not None
    assert result.error.endswith("PostHog's paging does not go on: the same events come again")
    assert len(service.requests) < 5


@pytest.fixture
def segment_lua() -> Iterator[tuple[Run, Emulator]]:
    """Run Lua with Segment's emulator."""
    with Kosmo(emulator=True) as kosmo:
        kosmo.emulator.start()
        yield (
            (lambda code: kosmo.run(f"local segment = app.integrations.segment {code}")),
            kosmo.emulator,
        )


def test_sources_of_segment_are_read_to_their_end(segment_lua: tuple[Run, Emulator]) -> None:
    """The issue: each_source; pages of 200, by their cursor."""
    lua, emulator = segment_lua
    workspace: Any = emulator.service("segment")
    slug = workspace.workspace["slug"]
    first = workspace.sources[0]
    workspace.sources = [{**first, "id": f"s{number}"} for number in range(450)]
    result = lua(f"""
    local ids = {{}}
    for source in segment.each_source{{slug = "{slug}"}} do ids[#ids + 1] = source.id end
    return ids""")
    assert value_of(result) == [f"s{number}" for number in range(450)]
    assert [call.attempts for call in result.call_log] == [2, 1, 1]


def test_command_returns_all_rows(
    kosmo: Callable[..., Finished],
    posthog_emulator: Emulator,
    account: dict[str, str],
    recorder: RecordingPostHog,
) -> None:
    """The issue: integrations:call posthog.each_person."""
    assert posthog_emulator.url
    recorder.state.projects[1].persons = persons(25)
    done = kosmo(
        "integrations:call", "posthog.each_person", "--limit", "10", "--json", env=account
    )
    assert [row["id"] for row in done.json()["data"]] == [*range(25)]


def test_docs_say_what_an_iterator_is() -> None:
    """The issue: docs.read, in the words of the list that it reads."""
    page = Kosmo(environ={}).reference.read("posthog.each_person")
    assert "for person in app.integrations.posthog.posthog_each_person() do" in page
    assert "posthog_list_persons" in page
    assert "search" in page
