"""`batch`: events that go out together, and a report of what became of each."""

import json
import os
import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Finished, poll
from raw_service import Answer, RawService, Received, opens, web

from kosmo_lua import Kosmo, Limits, Result
from kosmo_lua.errors import CODES, ApprovalRequired
from kosmo_lua.policy import Question
from kosmo_posthog import posthog
from kosmo_segment import segment

pytestmark = pytest.mark.usefixtures("retries")

Run = Callable[[str], Result]


def kosmo_of(service: RawService, **options: Any) -> Kosmo:
    """Return a Kosmo whose integrations all send to the service."""
    environ = {
        "KOSMO_WEB_URL": service.url,
        "KOSMO_WEB__OTHER__URL": service.url,
        "KOSMO_SEGMENT_WRITE_KEY": "key",
        "KOSMO_SEGMENT_TRACKING_URL": service.url,
        "KOSMO_POSTHOG_PROJECT_API_KEY": "phc_key",
        "KOSMO_POSTHOG_URL": service.url,
        **{f"KOSMO_{name}_WRITE": "allow" for name in ("WEB", "SEGMENT", "POSTHOG")},
        **options.pop("environ", {}),
    }
    options = {"retry_budget": 0, **options}
    return Kosmo(integrations=[web, segment, posthog], environ=environ, **options)


@pytest.fixture
def lua(service: RawService) -> Run:
    """Run Lua, with `note` for `web.note{text = ...}`."""
    kosmo = kosmo_of(service)
    return lambda code: kosmo.run(f"{NOTE} {code}")


NOTE = (
    "local web = app.integrations.web local function note(text) return web.note{text = text} end"
)


def value_of(result: Result) -> Any:
    """Return the value of a script that must have succeeded."""
    assert result.error is None
    return result.result


def texts(service: RawService) -> list[list[str]]:
    """Return the texts of each batch that came."""
    batches = [request for request in service.requests if request.path == "/batch"]
    return [[event["text"] for event in request.json()] for request in batches]


def refusing(*marks: str, status: int = 400) -> Callable[[Received], Answer]:
    """Refuse every body that has one of the marks."""

    def answer(request: Received) -> Answer:
        if any(mark.encode() in request.body for mark in marks):
            return Answer(status, {"why": "bad"})
        return Answer(body={})

    return answer


def report(result: Any) -> dict[str, Any]:
    """Return a report without what differs from run to run."""
    rejected = [{name: each[name] for name in ("index", "code")} for each in result["rejected"]]
    return {**result, "rejected": rejected, "bytes": 0}


CLEAN: dict[str, Any] = {
    "queued": 0,
    "accepted": 0,
    "rejected": [],
    "rejected_count": 0,
    "unknown": 0,
    "unsent": 0,
    "requests": 0,
    "bytes": 0,
}


@pytest.mark.parametrize("name", ["segment_track", "segment.nightly.track", "segment.track"])
def test_every_spelling_of_a_function_and_every_account_of_the_emulator_is_queued(
    name: str,
) -> None:
    """Ours: a name that `app` does not list is looked up when it is called, and is no other function then."""
    with Kosmo(environ={}, emulator=True) as kosmo:
        result = kosmo.run(f"""
        local first
        local report = batch(function() first = app.integrations.{name}("e", "u") end)
        return first.queued, report.accepted, report.requests""")
    assert value_of(result) == [True, 1, 1]


def test_event_is_queued_at_once_and_goes_out_with_the_others(
    lua: Run, service: RawService
) -> None:
    """The issue: {queued = true, id}, then one request, and a report, which the envelope has, too."""
    result = lua("""
    local first
    local report, a, b = batch(function()
        first = note("one")
        note("two")
        return "a", nil
    end)
    return first, report, a, b""")
    first, found, a, b = value_of(result)
    [request] = service.requests
    assert [event["text"] for event in request.json()] == ["one", "two"]
    assert first == {"queued": True, "id": request.json()[0]["id"]}
    size = len(request.body) - len("[,]")
    assert found == {**CLEAN, "queued": 2, "accepted": 2, "requests": 1, "bytes": size}
    assert (a, b) == ("a", None)
    assert result.to_dict()["delivery"] == found
    [call] = result.call_log
    assert (call.function, call.events, call.effect, call.attempts) == ("web.batch", 2, "sent", 1)


def test_empty_batch_sends_nothing(lua: Run, service: RawService) -> None:
    """Ours: no request, and nothing in the envelope."""
    result = lua("return (batch(function() end))")
    assert (value_of(result), result.delivery, service.requests) == (CLEAN, None, [])


@pytest.mark.parametrize(
    ("code", "path", "events", "size"),
    [
        ("segment.track{event = 'e', userId = 'ü' .. n}", "/v1/batch", 2500, 500_000),
        (
            "segment.track{event = 'e', userId = 'u', properties = {x = ('€'):rep(2000)}}",
            "/v1/batch",
            2500,
            500_000,
        ),
        (
            "posthog.capture_event{event = 'e', distinct_id = 'u', properties = {x = ('€'):rep(9000)}}",
            "/batch/",
            10_000,
            5 * 1024 * 1024,
        ),
    ],
)
def test_requests_are_filled_to_the_limits_and_never_beyond(
    service: RawService, code: str, path: str, events: int, size: int
) -> None:
    """The issue: 2,500 events and 500 KB; PostHog's own; a letter counts its bytes."""
    with kosmo_of(service) as kosmo:
        result = kosmo.run(f"""
        local segment, posthog = app.integrations.segment, app.integrations.posthog
        return (batch(function() for n = 1, 2600 do {code} end end, {{concurrency = 1}}))""")
    assert value_of(result)["accepted"] == 2600
    counts = [len(request.json()["batch"]) for request in service.requests]
    sizes = [len(request.body) for request in service.requests]
    assert {request.path for request in service.requests} == {path}
    assert sum(counts) == 2600
    assert max(counts) <= events
    assert max(sizes) <= size
    largest = max(len(json.dumps(e)) for e in service.requests[0].json()["batch"])
    for count, filled in zip(counts[:-1], sizes[:-1], strict=True):
        assert count == events or filled > size - 1024 - largest


def test_order_is_kept_and_size_makes_requests_smaller(lua: Run, service: RawService) -> None:
    """The issue: options size and concurrency."""
    code = "return (batch(function() for n = 1, 7 do note('' .. n) end end, {size = 3, concurrency = 1}))"
    assert value_of(lua(code))["requests"] == 3
    assert texts(service) == [["1", "2", "3"], ["4", "5", "6"], ["7"]]


def test_so_many_requests_at_once_as_the_option_says(lua: Run, service: RawService) -> None:
    """The issue: concurrency; the script waits for room, so that memory stays bounded."""
    gate = threading.Event()

    def answer(_: Received) -> Answer:
        gate.wait(20)
        return Answer(body={})

    service.answer = answer
    watcher = opens(gate, service, 3)
    code = "return (batch(function() for n = 1, 20 do note('x') end end, {size = 1, concurrency = 3}))"
    assert value_of(lua(code))["accepted"] == 20
    watcher.join()
    assert (service.most_at_once, service.connections) == (3, 3)


def test_accounts_and_integrations_have_requests_of_their_own(
    lua: Run, service: RawService
) -> None:
    """The issue: mixed in one batch; the places count over all of them."""
    service.answer = refusing("zzz")
    result = lua("""
    return (batch(function()
        note("a") web.other.note{text = "b"}
        app.integrations.segment.track{event = "e", userId = "u"}
        web.other.note{text = "zzz"} note("c")
    end))""")
    assert result.result is not None
    assert sorted(texts(service)) == [["a", "c"], ["b"], ["b", "zzz"], ["zzz"]]
    expected = {**CLEAN, "queued": 5, "accepted": 4, "rejected_count": 1, "requests": 5}
    assert report(result.result) == {
        **expected,
        "rejected": [{"index": 4, "code": "service_error"}],
    }


def test_function_without_events_goes_out_at_once(lua: Run, service: RawService) -> None:
    """The issue: a read inside a batch answers."""
    result = lua("batch(function() note('a') web.get{path = 'now'} note('b') end)")
    value_of(result)
    assert [request.path for request in service.requests] == ["/now", "/batch"]


def test_event_outside_goes_out_alone(lua: Run, service: RawService) -> None:
    """Ours: the batch has ended, also when its function has failed."""
    result = lua("""
    pcall(batch, function() note("in") error("no") end)
    return note("out").noted""")
    assert value_of(result) is True
    assert [request.path for request in service.requests] == ["/batch", "/note"]


def test_invalid_event_raises_at_its_line_and_spoils_nothing(
    lua: Run, service: RawService
) -> None:
    """The issue: nor does one that is too large; both are in the call log."""
    result = lua("""
    local caught = {}
    batch(function()
        note("good")
        local _, a = pcall(function()
            web.note{txt = "x"} end)
        local _, b = pcall(note, ("x"):rep(2000))
        caught = {a.code, a.line, b.code}
        note("fine")
    end)
    return caught""")
    assert value_of(result) == ["invalid_arguments", 6, "invalid_arguments"]
    assert texts(service) == [["good", "fine"]]
    assert [call.function for call in result.call_log] == ["web.note", "web.note", "web.batch"]
    assert [call.effect for call in result.call_log] == ["none", "none", "sent"]


@pytest.mark.parametrize("status", [400, 413])
def test_refused_request_is_split_until_the_event_at_fault_is_found(
    lua: Run, service: RawService, status: int
) -> None:
    """The issue: everything else is accepted; the report says which and why; exit status 3."""
    service.answer = refusing("zzz", status=status)
    result = lua(
        "return (batch(function() for n = 1, 10 do note(n == 7 and 'zzz' or 'x') end end))"
    )
    assert result.delivery is not None
    [rejected] = result.delivery.rejected
    found = {**CLEAN, "queued": 10, "accepted": 9, "rejected_count": 1, "requests": 7}
    assert report(result.result) == {**found, "rejected": [{"index": 7, "code": "service_error"}]}
    [bad] = [
        event for request in service.requests for event in request.json() if event["text"] == "zzz"
    ][-1:]
    assert rejected._asdict() == {
        "index": 7,
        "id": bad["id"],
        "code": "service_error",
        "message": f'web.batch: Web answered {status}: {{"why": "bad"}}',
    }
    assert (result.success, result.exit_status) == (False, 3)
    assert result.error == "1 of 10 events were not accepted"
    assert result.error_info is not None
    assert result.error_info.code == "partial"


def test_service_that_refuses_everything_is_not_asked_event_by_event(
    lua: Run, service: RawService
) -> None:
    """Ours: it is not the events; each of them is in the report all the same."""
    service.answer = lambda _: Answer(400, {})
    code = "return (batch(function() for n = 1, 1000 do note('x') end end, {concurrency = 1}))"
    found = report(lua(code).result)
    assert (found["rejected_count"], found["accepted"], len(found["rejected"])) == (1000, 0, 1000)
    assert sorted(each["index"] for each in found["rejected"]) == [*range(1, 1001)]
    assert len(service.requests) < 150


def test_refused_key_is_no_fault_of_an_event(lua: Run, service: RawService) -> None:
    """The issue: 401 rejects everything, without splitting."""
    service.answer = lambda _: Answer(401, {})
    found = report(lua("return (batch(function() for n = 1, 5 do note('x') end end))").result)
    assert (found["rejected_count"], found["requests"], len(service.requests)) == (5, 1, 1)


@pytest.mark.parametrize(
    ("run_id", "advice"),
    [
        ("again", "Run it again with --run again: the service drops the events that it has."),
        (
            None,
            "To be repeated without sending anything twice, a run needs --run ID from its first time.",
        ),
    ],
)
def test_end_says_why_and_how_it_can_be_repeated(
    service: RawService, home: Path, run_id: str | None, advice: str
) -> None:
    """Ours: a run without a name is never told to be repeated with one: that would send again."""
    service.answer = lambda _: Answer(401, {})
    with kosmo_of(service, run_id=run_id, environ={"KOSMO_HOME": str(home)}) as kosmo:
        result = kosmo.run(f"{NOTE} batch(function() note('x') end)")
    assert result.error_info is not None
    assert result.delivery is not None
    [rejected] = result.delivery.rejected
    assert result.error_info.hint == f"The first: {rejected.message}. {advice}"
    assert result.error_info.effect == "sent"


def test_refused_connection_leaves_no_effect() -> None:
    """Ours: of a batch as of a call, when nothing has left the machine."""
    environ = {
        "KOSMO_SEGMENT_WRITE_KEY": "0123456789abcdef",
        "KOSMO_SEGMENT_WRITE": "allow",
        "KOSMO_SEGMENT_TRACKING_URL": "http://127.0.0.1:9",
    }
    with Kosmo(environ=environ, retry_budget=0) as kosmo:
        track = 'app.integrations.segment.track{event = "E", userId = "u"}'
        result = kosmo.run(f"batch(function() {track} end)")
    assert result.error_info is not None
    assert (result.error_info.code, result.error_info.effect) == ("partial", "none")


def test_lost_answers_leave_the_unknown(service: RawService) -> None:
    """The issue: after all retries; the envelope says so, and its effect."""
    service.answer = lambda _: None
    with kosmo_of(service, retry_budget=0.6) as kosmo:
        result = kosmo.run(f"{NOTE} return (batch(function() note('a') note('b') end))")
    assert report(result.result) == {
        **CLEAN,
        "queued": 2,
        "unknown": 2,
        "requests": len(service.requests),
    }
    assert result.exit_status == 3
    assert result.error_info is not None
    assert result.error_info.effect == "unknown"


def test_report_can_be_raised(lua: Run, service: RawService) -> None:
    """The issue: on_error = "raise"; the error carries the report."""
    service.answer = refusing("zzz")
    result = lua("""
    local ok, err = pcall(batch, function() note("zzz") note("x") end, {on_error = "raise"})
    return err.code, err.details.accepted, err.details.rejected[1].index, tostring(err)""")
    assert result.result == ["partial", 1, 1, "eval:2: 1 of 2 events were not accepted"]
    assert result.success is False


def test_error_in_the_function_delivers_and_is_raised(lua: Run, service: RawService) -> None:
    """The issue: what was queued goes out; the error is the script's own."""
    result = lua("batch(function() note('a') error('mine') end)")
    assert result.error == "eval:1: mine"
    assert texts(service) == [["a"]]
    assert result.delivery is not None
    assert result.delivery.accepted == 1


def test_batch_and_parallel_go_into_each_other(lua: Run, service: RawService) -> None:
    """The issue: parallel inside a batch queues into it; a batch in a task is that task's own."""
    result = lua("""
    local inner = {}
    local report = batch(function()
        parallel.map({"a", "b"}, function(name)
            web.get{path = name}
            note(name)
            inner[name] = batch(function() web.get{path = name} note("in " .. name) end).accepted
            note(name .. name)
        end)
    end)
    return report.accepted, inner""")
    assert value_of(result) == [4, {"a": 1, "b": 1}]
    assert sorted(map(sorted, texts(service))) == [["a", "aa", "b", "bb"], ["in a"], ["in b"]]


def test_task_that_fails_delivers_its_batch(lua: Run, service: RawService) -> None:
    """Ours: and so does one that is stopped, because another has failed."""
    result = lua("""
    pcall(parallel.all, {
        a = function() batch(function() note("stopped") web.get{path = "x"} note("never") end) end,
        b = function() batch(function() note("failed") error("b") end) end,
    })
    return true""")
    assert value_of(result) is True
    assert sorted(texts(service)) == [["failed"], ["stopped"]]


def test_coroutine_stays_in_the_batch_in_which_it_began(lua: Run, service: RawService) -> None:
    """The issue: resumed outside, it goes on in its batch while that is open, and alone afterwards."""
    result = lua("""
    local co, outside
    batch(function()
        co = coroutine.wrap(function() note("1") coroutine.yield() note("2") coroutine.yield() note("3") end)
        outside = coroutine.wrap(function() note("alone") end)
        co()
        local other = coroutine.create(function() co() end)
        coroutine.resume(other)
    end)
    co()
    return true""")
    assert value_of(result) is True
    assert texts(service) == [["1", "2"]]
    assert [request.path for request in service.requests] == ["/batch", "/note"]


def test_batch_left_open_goes_out_at_the_end(lua: Run, service: RawService) -> None:
    """The issue: in a coroutine that nobody resumes."""
    result = lua("""
    co = coroutine.wrap(function() batch(function() note("left") coroutine.yield() end) end)
    co()
    return note("beside").noted""")
    assert value_of(result) is True
    assert texts(service) == [["left"]]
    assert result.delivery is not None
    assert result.delivery.accepted == 1


def test_session_begins_clean_after_a_failed_batch(service: RawService) -> None:
    """The issue: and a coroutine of an earlier script cannot end the batch of a later one."""
    setup = "web = app.integrations.web "
    service.answer = refusing("zzz")
    with kosmo_of(service) as kosmo, kosmo.session() as session:
        failed = session.run(setup + "batch(function() web.note{text = 'zzz'} error('x') end)")
        assert failed.delivery is not None
        left = "co = coroutine.create(function() batch(function() coroutine.yield() end) end)"
        assert session.run(f"{left} coroutine.resume(co)").delivery is None
        result = session.run("""
        return (batch(function()
            web.note{text = "a"}
            local ok, problem = coroutine.resume(co)
            assert(not ok and problem:find("it was ended with the script that began it"), problem)
            web.note{text = "b"}
        end))""")
    assert report(value_of(result)) == {**CLEAN, "queued": 2, "accepted": 2, "requests": 1}
    assert texts(service)[-1] == ["a", "b"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("batch()", "batch: it takes a function, got nil"),
        ("batch(print, 5)", "batch: the options must be a table, got 5"),
        (
            "batch(print, {sise = 1})",
            "batch: unknown option sise: it takes concurrency, on_error, size",
        ),
        (
            "batch(print, {size = 0})",
            "batch: size must be a whole number from 1 to 1000000, got 0",
        ),
        (
            "batch(print, {concurrency = 1.5})",
            "batch: concurrency must be a whole number from 1 to 64, got 1.5",
        ),
        (
            "batch(print, {on_error = 1})",
            'batch: on_error must be "report" or "raise", got 1',
        ),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(run: Run, code: str, words: str) -> None:
    """Ours: at the line of the script."""
    assert run(code).error == f"eval:1: {words}"


def test_denied_event_is_not_queued(service: RawService) -> None:
    """Ours: permission is asked when the event is queued."""
    with kosmo_of(service, environ={"KOSMO_WEB_WRITE": "ask"}) as kosmo:
        result = kosmo.run(f"{NOTE} return batch(function() return pcall(note, 'x') end)")
    found, ok, error = value_of(result)
    assert (found["queued"], ok, error["code"]) == (0, False, ApprovalRequired.code)
    assert service.requests == []


def test_call_limit_counts_requests_and_not_events(service: RawService) -> None:
    """Ours: a run may queue more events than it may make calls."""
    code = f"{NOTE} return batch(function() for n = 1, 50 do note('x') end end).accepted"
    with kosmo_of(service, limits=Limits(calls=5)) as kosmo:
        assert value_of(kosmo.run(code)) == 50
    with kosmo_of(service, limits=Limits(calls=3)) as kosmo:
        result = kosmo.run(code)
    assert result.error_info is not None
    assert result.error_info.code == "call_limit"
    assert result.delivery is not None
    assert (
        result.delivery.queued
        == result.delivery.accepted + result.delivery.unknown + result.delivery.unsent
    )


def test_limit_leaves_what_waits_unsent(service: RawService) -> None:
    """The issue: the envelope counts it; nothing goes out once the run is over."""
    code = f"{NOTE} batch(function() for n = 1, 25 do note('x') end while true do end end)"
    with kosmo_of(service, limits=Limits(cpu=0.5)) as kosmo:
        result = kosmo.run(code)
    assert result.error_info is not None
    assert result.error_info.code == "cpu_limit"
    delivery = result.delivery
    assert delivery is not None
    assert (delivery.queued, delivery.accepted, delivery.unknown, delivery.unsent) == (
        25,
        20,
        0,
        5,
    )
    assert len(service.requests) == 2


SEND = """
local count, from = tonumber(arg[1]), arg[2]
local report = batch(function()
    for n = 1, count do
        app.integrations.segment.track{event = "e", userId = from .. n}
    end
end, {size = 50})
print(json.encode(report))
"""


@pytest.fixture
def script(tmp_path: Path) -> str:
    """Write the script that sends many events."""
    (tmp_path / "send.lua").write_text(SEND)
    return "send.lua"


def env_of(service: RawService) -> dict[str, str]:
    """Return the variables of a command that sends to the service."""
    return {
        "KOSMO_SEGMENT_WRITE_KEY": "key",
        "KOSMO_SEGMENT_TRACKING_URL": service.url,
        "KOSMO_SEGMENT_WRITE": "allow",
    }


class Keeper:
    """Answers, keeps what it has accepted, and fails a share of all requests: before or after that."""

    def __init__(self, service: RawService, *, share: float = 0.0) -> None:
        self.ids: Counter[str] = Counter()
        self.users: dict[str, str] = {}
        self._share = share
        self._random = random.Random(7)  # noqa: S311  # dice
        self._lock = threading.Lock()
        service.answer = self

    def __call__(self, request: Received) -> Answer | None:
        """Fail before a batch is kept, keep it, or lose the answer after that."""
        with self._lock:
            status = self._random.choice([None, 200, 500, 503, 429])
            strikes = self._random.random() < self._share
            if strikes and status != 200:
                return Answer(status, {}) if status else None
            for event in request.json()["batch"]:
                self.ids[event["messageId"]] += 1
                self.users[event["messageId"]] = event["userId"]
            return None if strikes else Answer(body={"success": True})


def test_ten_thousand_events_through_failures_arrive_each_once(service: RawService) -> None:
    """The issue: a service fails 20 % of all requests; each event has one ID, however often it comes."""
    keeper = Keeper(service, share=0.2)
    with kosmo_of(service, retry_budget=60) as kosmo:
        result = kosmo.run(SEND, arguments=["10000", "u"])
    found = json.loads(result.output)
    assert found["accepted"] == 10_000
    assert (result.error, found["unknown"], found["rejected"]) == (None, 0, [])
    assert len(keeper.ids) == 10_000
    assert set(keeper.users.values()) == {f"u{n}" for n in range(1, 10_001)}
    assert found["requests"] == len(service.requests)


def test_killed_run_repeated_with_its_id_sends_everything_and_each_once(
    start: Callable[..., subprocess.Popen[bytes]],
    kosmo: Callable[..., Finished],
    service: RawService,
    script: str,
    home: Path,
) -> None:
    """The issue: SIGKILL in the middle, then again with the same --run: the IDs are the same."""
    keeper = Keeper(service)
    command = ("integrations:lua", script, "--run", "import", "--", "5000", "u")
    gate = threading.Event()
    plain = service.answer

    def slow(request: Received) -> Answer | None:
        answer = plain(request)
        if len(service.requests) > 20:
            gate.wait(20)  # so the run is killed in the middle
        return answer

    service.answer = slow
    process = start(*command, env=env_of(service))
    poll(lambda: len(service.requests) > 20)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    gate.set()
    first = dict(keeper.users)
    assert 0 < len(first) < 5000
    service.answer = plain
    done = kosmo(*command, env=env_of(service))
    assert (done.status, json.loads(done.stdout)["accepted"]) == (0, 5000)
    assert len(keeper.ids) == 5000
    assert set(keeper.users.values()) == {f"u{n}" for n in range(1, 5001)}
    assert all(keeper.ids[message] >= 2 for message in first)
    assert home.is_dir()


def test_child_that_is_killed_leaves_a_report_of_what_is_unknown(
    kosmo: Callable[..., Finished], service: RawService, script: str
) -> None:
    """The issue: the process of the script dies amid its requests; its supervisor knows what was queued."""

    def answer(_: Received) -> Answer | None:
        if len(service.requests) == 4:
            for child in _children_of_command(script):
                os.kill(child, signal.SIGKILL)
            return None
        return Answer(body={"success": True})

    service.answer = answer
    done = kosmo("integrations:lua", script, "--json", "--", "5000", "u", env=env_of(service))
    document = done.json()
    delivery = document["delivery"]
    assert document["error_info"]["code"] == "crash"
    assert delivery["accepted"] + delivery["unknown"] + delivery["unsent"] == delivery["queued"]
    assert delivery["unknown"] >= 50
    assert delivery["rejected_count"] == 0
    assert done.status == CODES["crash"].exit_status


def _children_of_command(script: str) -> Iterator[int]:
    """Find the process whose parent is the command that runs the script."""
    commands: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode().split("\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if script in words:
                commands[int(entry.name)] = (parent, script)
    return iter([pid for pid, (parent, _) in commands.items() if parent in commands])


def test_timeout_counts_what_was_not_sent(
    kosmo: Callable[..., Finished], service: RawService, script: str
) -> None:
    """The issue: --timeout amid requests that do not return."""
    gate = threading.Event()

    def answer(_: Received) -> Answer:
        gate.wait(20)
        return Answer(body={"success": True})

    service.answer = answer
    options = ("--json", "--timeout", "2", "--", "5000", "u")
    done = kosmo("integrations:lua", script, *options, env=env_of(service))
    gate.set()
    delivery = done.json()["delivery"]
    assert done.json()["error_info"]["code"] == "wall_limit"
    assert delivery["unknown"] == 200
    assert delivery["accepted"] == 0
    assert delivery["unsent"] == delivery["queued"] - 200


def test_exit_status_of_the_command_is_3(
    kosmo: Callable[..., Finished], service: RawService
) -> None:
    """The issue: the report is printed, the result kept, and the status says that it is not whole."""
    service.answer = lambda _: Answer(401, {})
    code = (
        'return (batch(function() app.integrations.segment.track{event = "e", userId = "u"} end))'
    )
    done = kosmo("integrations:lua", "--json", "--eval", code, env=env_of(service))
    document = done.json()
    assert (done.status, document["success"], document["error_info"]["code"]) == (
        3,
        False,
        "partial",
    )
    assert document["result"] == document["delivery"]
    assert document["delivery"]["rejected_count"] == 1


def test_memory_of_lua_is_flat_however_long_the_loop(service: RawService) -> None:
    """The issue: 10,000 events need as much as 2,000."""
    peaks = []
    for count in ("2000", "10000"):
        with kosmo_of(service) as kosmo:
            result = kosmo.run(SEND, arguments=[count, "u"])
            value_of(result)
            peaks.append(result.memory_usage)
    assert peaks[1] < peaks[0] * 1.3 + 100_000


def test_warning_of_an_event_reaches_the_envelope(service: RawService) -> None:
    """Ours: what its function has to say is not lost because it goes out with others."""
    with kosmo_of(service) as kosmo:
        result = kosmo.run("""batch(function()
            app.integrations.posthog.capture_event{event = "e", distinct_id = "u"}
            app.integrations.posthog.capture_event{event = "e", distinct_id = ("x"):rep(300)}
        end)""")
    assert result.warnings == ("PostHog cuts a distinct_id to its first 200 characters.",)


def outcome_of(service: RawService, code: str, events: int) -> tuple[Any, Any]:
    """Return what the last of the calls came to, and the event of it that was sent, if one was."""
    service.requests.clear()
    with kosmo_of(service) as kosmo:
        result = kosmo.run(f"""local ok, found
        batch(function()
            local function try(f, ...) ok, found = pcall(f, ...) end
            {code}
        end)
        return {{ok, not ok and {{found.code, found.message, found.effect}}}}""")
    bodies = [request.json() for request in service.requests]
    sent = [event for body in bodies for event in (body if type(body) is list else body["batch"])]
    for event in sent:
        for name in ("messageId", "uuid", "timestamp", "id"):
            event.pop(name, None)
    return value_of(result), sent[events - 1 :]


@pytest.mark.parametrize(
    "arguments",
    [
        '{event = "e", userId = "u"}',
        '{event = "e", user_id = "u", properties = {}}',
        '{event = "e", userId = "u", properties = {a = {1, 2.5, {}, json.null}, ["ü"] = 2^53}}',
        '{event = "e", userId = "u", user_id = "v"}',
        '{event = "e", userId = 42}',
        '{event = "e"}',
        '{event = "", userId = "u"}',
        '{event = "e", userId = "u", properties = {1}}',
        '{event = "e", userId = "u", properties = {x = 0/0}}',
        '{event = "e", userId = "u", propertys = {}}',
        '{event = "e", userId = "u", properties = {x = ("x"):rep(40000)}}',
        '{"e", "u"}',
        '"e", "u"',
        '"e", nil, {}',
        "",
    ],
)
def test_later_event_is_made_and_refused_as_the_first_is(
    service: RawService, arguments: str
) -> None:
    """Ours: of all but the first less is looked at again, and nothing else may differ."""
    good = 'app.integrations.segment.track{event = "e", userId = "u"}'
    call = f"try(app.integrations.segment.track{', ' if arguments else ''}{arguments})"
    first = outcome_of(service, call, 1)
    assert outcome_of(service, f"{good} {good} {call}", 3) == first


@pytest.mark.parametrize(
    ("text", "known"), [("a-1", "a-1"), ("", ""), ("ü", "ü"), ("a?", "a\ufffd")]
)
def test_event_is_known_by_whatever_text(service: RawService, text: str, known: str) -> None:
    """Ours: not every service knows its events by UUIDs."""
    with kosmo_of(service) as kosmo:
        result = kosmo.run(f"""
        local queued
        batch(function() queued = app.integrations.web.label{{text = "{text}"}} end)
        return queued""")
    assert value_of(result) == {"queued": True, "label": known}


@pytest.mark.parametrize("value", ["'2026-04-01T00:00:00Z'", "5", "true", "{}", "'x'"])
def test_later_value_of_a_type_that_json_has_not_is_what_the_first_is(
    service: RawService, value: str
) -> None:
    """Ours: pydantic takes a text for a time in JSON, and not among Python's values."""
    code = f"try(app.integrations.web.remind, {{at = {value}}})"
    first = outcome_of(service, code, 1)
    assert outcome_of(service, f"app.integrations.web.remind{{at = 'later'}} {code}", 2) == first


@pytest.mark.parametrize(
    ("good", "call"),
    [
        ("trim{more = {a = 'b'}}", "trim, {more = {a = ' b '}}"),
        ("count{counts = json.object{}}", 'count, {counts = {["1"] = "x"}}'),
    ],
)
def test_later_event_of_an_unusual_model_is_what_the_first_is(
    service: RawService, good: str, call: str
) -> None:
    """Ours: settings of a model do not reach all of what is JSON, and keys of JSON may be numbers."""
    first = outcome_of(service, f"try(app.integrations.web.{call})", 1)
    code = f"pcall(function() app.integrations.web.{good} end) try(app.integrations.web.{call})"
    assert outcome_of(service, code, 2) == first


def test_function_that_fails_later_is_called_once_and_logged(service: RawService) -> None:
    """Ours: it may count, and its failure may pass."""
    with kosmo_of(service) as kosmo:
        result = kosmo.run("""
        local codes = {}
        local report = batch(function()
            for _, at in ipairs({"a", "fail", "b"}) do
                local ok, problem = pcall(app.integrations.web.remind, {at = at})
                codes[#codes + 1] = ok and "ok" or problem.code
            end
        end)
        return {codes, report.accepted}""")
    assert value_of(result) == [["ok", "internal", "ok"], 2]
    assert [call.error and call.error.code for call in result.call_log] == ["internal", None]


def test_every_event_is_asked_about(service: RawService) -> None:
    """Ours: a yes to one is none to the next."""
    asked = list[Any]()

    def ask(question: Question) -> bool:
        asked.append(question.arguments)
        return len(asked) != 2

    with kosmo_of(service, environ={"KOSMO_WEB_WRITE": "ask"}, ask=ask) as kosmo:
        kosmo.run(f"{NOTE} batch(function() note('a') pcall(note, 'b') note('c') end)")
    assert asked == [{"text": "a"}, {"text": "b"}, {"text": "c"}]
    assert texts(service) == [["a", "c"]]


def test_event_whose_arguments_queue_another_one(lua: Run, service: RawService) -> None:
    """Ours: a metamethod may do so while they are written."""
    result = lua("""
    local outer = setmetatable({}, {__pairs = function()
        note("inner")
        return next, {text = "outer"}
    end})
    return batch(function() note("first") web.note(outer) note("last") end).accepted""")
    assert value_of(result) == 4
    assert texts(service) == [["first", "inner", "outer", "last"]]


def test_emulator_tells_what_came_twice() -> None:
    """The issue: answers are lost after the events were kept; what comes again has its ID and counts once."""
    with Kosmo(emulator=True, retry_budget=60) as kosmo:
        kosmo.emulator.start()
        kosmo.emulator.fault(chance=0.3, cut="after", seed=3, path="/v1/batch")
        result = kosmo.run(SEND, arguments=["2000", "u"])
        found = kosmo.emulator.events()
    assert value_of(result) is None
    assert result.delivery is not None
    assert result.delivery.accepted == 2000
    first = [event for event in found if not event["duplicate"]]
    assert len(found) > len(first) == 2000
    messages = [event["message"] for event in first]
    users = {message["userId"] for message in messages if isinstance(message, dict)}
    assert users == {f"u{number}" for number in range(1, 2001)}
