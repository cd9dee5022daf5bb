"""Retries: what is sent again, after what and when, and what the call log says of it."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from conftest import Finished, poll
from raw_server import RawServer, Step, date, reply

from kosmo_lua import Kosmo, Limits, Result
from kosmo_lua.emulator import Emulator
from kosmo_lua.http import retries
from kosmo_lua.isolation import Isolation
from kosmo_lua.results import Access, Call, CallError, Retry
from kosmo_lua.values import JsonObject

pytestmark = pytest.mark.usefixtures("retries")

Environ = dict[str, str]


class Case(NamedTuple):
    """A function, a call of it in Lua, and what its service answers when all is well."""

    function: str
    code: str
    body: JsonObject
    access: Access = "write"


WORKSPACE: JsonObject = {"data": {"workspace": {"id": "w", "slug": "s", "name": "n"}}}
FLAG: JsonObject = {"id": 2, "key": "k", "active": True, "filters": {"groups": []}}

TRACK = Case(
    "segment.track_event", 'segment.track({event = "e", userId = "u"})', {"success": True}
)
CAPTURE = Case(
    "posthog.posthog_capture_event",
    'posthog.capture_event({event = "e", distinct_id = "u"})',
    {"status": "Ok"},
)
WHOAMI = Case("segment.get_current_user", "segment.get_current_user()", WORKSPACE, "read")
PERSONS = Case("posthog.posthog_list_persons", "posthog.list_persons()", {"results": []}, "read")
UPDATE = Case(
    "posthog.posthog_update_feature_flag",
    "posthog.update_feature_flag({flag_id = 2, active = true})",
    FLAG,
)
CREATE = Case(
    "posthog.posthog_create_feature_flag",
    'posthog.create_feature_flag({name = "n", key = "k"})',
    FLAG,
)

READS = (408, 429, 500, 502, 503, 504)
PASSING = [
    (TRACK, (408, 410, 429, 460, 500, 502, 503, 504, 511, 599)),
    (CAPTURE, (408, 429, 500, 501, 502, 503, 504, 505, 520)),
    (WHOAMI, READS),
    (PERSONS, READS),
    (UPDATE, READS),
    (CREATE, (429,)),  # it was refused, and so it cannot be there twice
]
FINAL = (400, 401, 403, 404, 413, 422)
LASTING = [
    (TRACK, (*FINAL, 501, 505)),
    (CAPTURE, (*FINAL, 410, 460)),
    (WHOAMI, (*FINAL, 410, 460, 501, 505, 511)),
    (PERSONS, (*FINAL, 410, 501, 520)),
    (UPDATE, (*FINAL, 409, 501)),
    (CREATE, (*FINAL, 408, 409)),
]


def each(table: list[tuple[Case, tuple[int, ...]]]) -> list[Any]:
    """Return a case for each function and status."""
    return [
        pytest.param(case, status, id=f"{case.function} {status}")
        for case, statuses in table
        for status in statuses
    ]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each wait that nobody asked for be 10 ms."""
    monkeypatch.setattr(retries, "_backoff", lambda _: 0.01)


def run(environ: Environ, code: str, **options: Any) -> Result:
    """Run Lua, in which the integrations have their short names."""
    with Kosmo(environ=environ, **options) as kosmo:
        return kosmo.run(
            f"local segment, posthog = app.integrations.segment, app.integrations.posthog {code}"
        )


def logged(result: Result) -> list[Call]:
    """Return the call log without the durations."""
    return [call._replace(duration_ms=0) for call in result.call_log]


# What is sent again


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(("case", "status"), each(PASSING))
def test_after_a_passing_status_the_same_is_sent_again(
    case: Case, status: int, server: RawServer, to_server: Environ
) -> None:
    """FACTS: these statuses of each service; the request is the same byte by byte, IDs and times, too."""
    server.answers(reply(status), reply(status), reply(200, case.body))
    result = run(to_server, case.code)
    assert result.error is None
    first, second, third = server.requests
    assert first == second == third
    again = Retry("rate" if status == 429 else "retry", 10, status)
    assert logged(result) == [
        Call(
            case.function,
            "default",
            case.access,
            effect="sent",
            status=200,
            attempts=3,
            retries=(again, again),
        )
    ]
    assert result.meta.waited_ms == (20 if status == 429 else 0)
    assert result.meta.calls.unknown == 0


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(("case", "status"), each(LASTING))
def test_after_a_lasting_status_nothing_is_sent_again(
    case: Case, status: int, server: RawServer, to_server: Environ
) -> None:
    """FACTS: what was refused once will be refused again."""
    server.answers(reply(status, {"detail": "no"}))
    server.usual = reply(200, case.body)
    result = run(to_server, case.code)
    assert result.error_info
    assert (result.error_info.status, result.error_info.effect) == (status, "sent")
    assert len(server.requests) == 1
    [call] = result.call_log
    assert (call.status, call.attempts, call.retries, call.effect) == (status, 1, (), "sent")
    assert result.error
    assert "tried" not in result.error


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    "case", [TRACK, CAPTURE, UPDATE, WHOAMI, PERSONS], ids=lambda c: c.function
)
def test_after_a_lost_answer_the_same_is_sent_again(
    case: Case, server: RawServer, to_server: Environ
) -> None:
    """Issue 6: what has a stable ID, or does the same twice; then its effect is no longer unknown."""
    server.steps += [Step(then="close"), Step(reply(200, case.body)[:-3], then="close")]
    server.usual = reply(200, case.body)
    result = run(to_server, case.code)
    assert result.error is None
    first, second, third = server.requests
    assert first == second == third
    again = Retry("retry", 10)
    call = Call(case.function, "default", case.access, "sent", 200, 3, retries=(again, again))
    assert logged(result) == [call]
    assert (result.meta.calls.unknown, result.meta.calls.failed) == (0, 0)


@pytest.mark.usefixtures("soon")
def test_a_lost_try_before_a_refusal_leaves_the_effect_unknown(
    server: RawServer, to_server: Environ
) -> None:
    """Ours: the first try may have been taken, whatever the second was told."""
    server.steps += [Step(then="close"), Step(reply(400))]
    result = run(to_server, TRACK.code)
    message = "segment.track_event: Segment answered 400 (tried 2 times)"
    error = CallError("service_error", message)
    assert logged(result) == [
        Call(
            "segment.track_event",
            "default",
            "write",
            effect="unknown",
            status=400,
            attempts=2,
            error=error,
            retries=(Retry("retry", 10),),
        )
    ]
    assert result.exit_status == 69
    assert result.meta.calls.wrote == 1


@pytest.mark.usefixtures("soon")
def test_the_tries_of_a_request_are_its_own(server: RawServer, to_server: Environ) -> None:
    """Ours: a function that asks twice has not tried twice."""
    server.answers(
        reply(200, WORKSPACE), reply(404), reply(200, WORKSPACE), reply(503), reply(404)
    )
    for words in ("Segment answered 404", "Segment answered 404 (tried 2 times)"):
        result = run(to_server, 'segment.list_sources({slug = "s"})')
        assert result.error == f"eval:1: segment.list_sources: {words}"


@pytest.mark.usefixtures("soon")
def test_ten_tries_are_the_most(server: RawServer, to_server: Environ) -> None:
    """Ours: where a fifth of all requests fails, one in ten million events is not delivered."""
    server.usual = reply(503)
    result = run(to_server, TRACK.code)
    assert result.error == ("eval:1: segment.track_event: Segment answered 503 (tried 10 times)")
    assert len(server.requests) == 10
    assert len({*server.requests}) == 1


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(("reached", "tries"), [(False, 4), (True, 10)])
def test_an_address_that_never_answered_is_given_up_earlier(
    *, reached: bool, tries: int, server: RawServer, to_server: Environ
) -> None:
    """Ours: it may be wrong; a service that was there once may be on its way back."""
    server.steps = [Step(server.usual, then="close")]
    first = TRACK.code if reached else ""

    def stop(_: str) -> None:
        if (
            reached
        ):  # else a request may go out on the connection that the server is about to close
            server.closed.get(timeout=20)
        server.close()

    with Kosmo(environ=to_server) as kosmo:
        result = kosmo.run(
            f'local segment = app.integrations.segment {first} print("stop") {TRACK.code}',
            on_output=stop,
        )
    call = logged(result)[-1]
    assert call.error
    assert call == Call(
        "segment.track_event",
        "default",
        "write",
        attempts=tries,
        error=CallError("unreachable", call.error.message),
        retries=(Retry("retry", 10),) * (tries - 1),
    )
    assert call.error.message.endswith(f"Connection refused (tried {tries} times)")
    assert len(server.requests) == reached


def test_waits_are_random_and_grow(server: RawServer, to_server: Environ) -> None:
    """Ours: up to 0.5 s first, and up to twice as long each time, until the budget is used up."""
    server.usual = reply(503)
    started = time.monotonic()
    result = run(to_server, TRACK.code, retry_budget=2)
    assert time.monotonic() - started < 2.5
    [call] = result.call_log
    assert call.attempts == len(call.retries) + 1 == len(server.requests)
    for number, wait in enumerate(call.retries):
        assert 0 <= wait.waited_ms <= 500 * 2**number
    assert sum(wait.waited_ms for wait in call.retries) < 2000


@pytest.mark.parametrize("status", [408, 429, 503])
@pytest.mark.parametrize("case", [TRACK, PERSONS], ids=lambda case: case.function)
def test_without_a_budget_nothing_is_sent_again(
    case: Case, status: int, server: RawServer, to_server: Environ
) -> None:
    """Issue 6: --retry-budget 0."""
    server.answers(reply(status))
    server.usual = reply(200, case.body)
    result = run(to_server, case.code, retry_budget=0)
    assert result.error_info
    assert (result.error_info.status, result.error_info.retryable) == (status, True)
    assert len(server.requests) == 1


# How long a service asks to wait


NOW = 1_700_000_000.0
FORMS = {
    "seconds": {"Retry_After": "600"},
    "HTTP date": {"Retry_After": date(NOW + 600), "Date": date(NOW)},
    "reset in seconds": {"X_RateLimit_Reset": "600"},
    "reset at a date": {"X_RateLimit_Reset": date(NOW + 600), "Date": date(NOW)},
    "reset at a Unix time": {"X_RateLimit_Reset": str(int(NOW) + 600), "Date": date(NOW)},
}
BODY: JsonObject = {"errors": [{"type": "RequestError", "data": {"msBeforeNext": 600_000}}]}


@pytest.mark.parametrize("form", [*FORMS, "body"])
def test_a_wait_beyond_the_budget_fails_at_once(
    form: str, server: RawServer, to_server: Environ
) -> None:
    """FACTS: each form in which a service asks; the clock is that of the service, which may be another."""
    server.answers(reply(429, BODY if form == "body" else {}, **FORMS.get(form, {})))
    started = time.monotonic()
    result = run(to_server, WHOAMI.code)
    assert time.monotonic() - started < 5
    assert result.error_info
    info = result.error_info
    assert (info.code, info.status, info.retryable, info.effect) == (
        "rate_limited",
        429,
        True,
        "sent",
    )
    assert info.details == {"retry_after": 600}
    assert info.hint == "Try again in 600 s."
    assert (len(server.requests), result.exit_status) == (1, 75)


WAITS: list[tuple[dict[str, str], JsonObject]] = [
    ({"Retry_After": "0.6"}, {}),
    ({"X_RateLimit_Reset": "0.6"}, {}),
    ({"Retry_After": date(NOW + 0), "X_RateLimit_Reset": "9", "Date": date(NOW - 1)}, {}),
    ({}, {"errors": [{"data": {"msBeforeNext": 600}}]}),
]


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(("headers", "body"), WAITS)
def test_a_wait_within_the_budget_is_kept_exactly(
    headers: dict[str, str], body: JsonObject, server: RawServer, to_server: Environ
) -> None:
    """FACTS: Retry-After counts before the others; meta says how long the run has waited."""
    milliseconds = 1000 if "Date" in headers else 600
    server.answers(reply(429, body, **headers), reply(200, WORKSPACE))
    started = time.monotonic()
    result = run(to_server, WHOAMI.code)
    assert time.monotonic() - started >= milliseconds / 1000
    assert result.error is None
    wait = Retry("rate", milliseconds, 429)
    call = Call("segment.get_current_user", "default", "read", "sent", 200, 2, retries=(wait,))
    assert logged(result) == [call]
    assert result.meta.waited_ms == milliseconds


def test_a_wait_of_just_the_budget_is_kept(server: RawServer, to_server: Environ) -> None:
    """Ours: services that count by the minute ask for 60 s, which is the default."""
    server.answers(reply(429, None, Retry_After="0.6"))
    assert run(to_server, TRACK.code, retry_budget=0.6).error is None
    assert len(server.requests) == 2


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("words", ["0", "-1", "soon", "", "9" * 5000, "1e3", "nan", "Mon, 99 Zzz"])
def test_a_service_that_names_no_wait_is_not_stormed(
    words: str, server: RawServer, to_server: Environ
) -> None:
    """Ours: then it is tried ten times as after any failure, and not as fast as it can answer."""
    server.usual = reply(429, None, Retry_After=words)
    result = run(to_server, TRACK.code)
    assert len(server.requests) == 10
    [call] = result.call_log
    assert call.retries == (Retry("rate", 10, 429),) * 9


@pytest.mark.parametrize("wait", ["NaN", "Infinity", "-5", '"x"', "null", "true", "[]"])
def test_a_body_that_names_no_wait_is_no_defect(
    wait: str, server: RawServer, to_server: Environ
) -> None:
    """Ours: whatever comes, it is the service's error."""
    body = f'{{"errors":[{{"data":{{"msBeforeNext":{wait}}}}}]}}'.encode()
    head = f"HTTP/1.1 429 Too Many\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    server.answers(head + body)
    result = run(to_server, WHOAMI.code, retry_budget=0)
    assert result.error_info
    assert (result.error_info.code, result.error_info.status) == ("rate_limited", 429)


@pytest.mark.usefixtures("soon")
def test_other_errors_may_ask_for_a_wait_too(server: RawServer, to_server: Environ) -> None:
    """RFC 9110: Retry-After goes with 503; a reset of the rate says nothing of it."""
    server.answers(reply(503, None, Retry_After="0.6"), reply(503, None, X_RateLimit_Reset="9"))
    result = run(to_server, TRACK.code)
    assert [(wait.reason, wait.waited_ms) for wait in result.call_log[0].retries] == [
        ("retry", 600),
        ("retry", 10),
    ]


# The budget and the time of the run


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_counts_against_the_time_of_the_run(
    status: int, kosmo: Callable[..., Finished], kosmo_emulator: Emulator
) -> None:
    """Issue 6: the run ends in time, and the log says what is known: the service has answered."""
    kosmo_emulator.fault(status=status, retry_after=30)
    started = time.monotonic()
    code = 'app.integrations.segment.track({event = "e", userId = "u"})'
    done = kosmo("integrations:lua", "--json", "--timeout", "3", "--eval", code)
    assert time.monotonic() - started < 15
    document = done.json()
    assert (done.status, document["error_info"]["code"]) == (124, "wall_limit")
    [call] = document["call_log"]
    waited = {
        "reason": "rate" if status == 429 else "retry",
        "waited_ms": 30000.0,
        "status": status,
    }
    assert (call["effect"], call["status"], call["attempts"]) == ("sent", status, 1)
    assert call["retries"] == [waited]
    assert call["error"]["code"] == "interrupted"
    assert kosmo_emulator.events() == []


def test_the_budget_is_that_of_each_request(server: RawServer, to_server: Environ) -> None:
    """Issue 6: it runs from the first failure on, and waits that do not fit into it are not begun."""
    server.usual = reply(429, None, Retry_After="0.6")
    result = run(to_server, TRACK.code, retry_budget=1.5)
    [call] = result.call_log
    assert call.retries == (Retry("rate", 600, 429),) * 2
    assert result.error == "eval:1: segment.track_event: Segment answered 429 (tried 3 times)"
    assert result.error_info
    assert (result.error_info.details, result.error_info.hint) == (
        {"retry_after": 0.6},
        "Try again in 0.6 s.",
    )


# The run ends while a call waits


def _left() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("kosmo-")]


@pytest.mark.parametrize("isolation", ["thread", "process"])
@pytest.mark.parametrize(
    "code",
    [
        TRACK.code,
        f"pcall(function() {TRACK.code} end) {TRACK.code}",
        f"while true do pcall(function() {TRACK.code} end) end",
        f"parallel.map({{1, 2, 3}}, function() {TRACK.code} end)",
        'for person in posthog.each_person() do error("none") end',
    ],
)
def test_a_limit_ends_what_waits(
    code: str, isolation: Isolation, server: RawServer, to_server: Environ
) -> None:
    """Issue 6: the run ends in time and at its line; nothing is sent afterwards, for no thread is left to."""
    run(to_server, TRACK.code, isolation=isolation)  # the first one is slow: it starts a server
    server.requests.clear()
    server.usual = reply(429, None, Retry_After="10")
    started = time.monotonic()
    result = run(to_server, code, limits=Limits(wall=0.8), isolation=isolation)
    assert time.monotonic() - started < 8
    assert result.error == "eval:1: time limit of 0.8 s exceeded"
    sent = len(server.requests)
    assert 1 <= sent <= 3
    assert {(call.effect, call.status) for call in result.call_log if call.attempts} == {
        ("sent", 429)
    }
    if isolation == "thread":
        poll(lambda: "kosmo-script" not in _left() and "kosmo-call" not in _left(), seconds=4)
    assert len(server.requests) == sent


def test_a_thread_that_is_left_behind_sends_nothing(server: RawServer, to_server: Environ) -> None:
    """Issue 6: it waits for an answer when the run ends; that is a 503, and nobody tries again."""
    server.steps = [Step(reply(503), after=1.0)]
    with Kosmo(environ=to_server, limits=Limits(wall=0.3)) as kosmo:
        result = kosmo.run(f"local segment = app.integrations.segment {TRACK.code}")
        assert result.error == "time limit of 0.3 s exceeded"
        [call] = result.call_log
        assert (call.effect, call.status, call.attempts) == ("unknown", None, 1)
        assert kosmo.run("return 1").result == 1  # another script does not bring it back
        poll(lambda: "kosmo-script" not in _left(), seconds=4)
    assert len(server.requests) == 1


def test_the_next_script_of_a_session_sends_again(server: RawServer, to_server: Environ) -> None:
    """Ours: what a limit has ended is the script, and not the connections of the session."""
    server.answers(reply(429, None, Retry_After="1.5"))
    code = f"local segment = app.integrations.segment return {TRACK.code}.success"
    with Kosmo(environ=to_server, limits=Limits(wall=1)) as kosmo, kosmo.session() as session:
        assert session.run(code).error == "eval:1: time limit of 1 s exceeded"
        assert session.lost is False
        again = session.run(code)
    assert (again.result, len(server.requests)) == (True, 2)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_what_waits(
    number: signal.Signals,
    status: int,
    start: Callable[..., subprocess.Popen[bytes]],
    server: RawServer,
    to_server: Environ,
) -> None:
    """Issue 6: at once; the process that could send is gone, and the log says what is known."""
    server.usual = reply(429, None, Retry_After="30")
    code = 'app.integrations.segment.track({event = "e", userId = "u"})'
    process = start("integrations:lua", "--json", "--eval", code, env=to_server)
    poll(lambda: server.requests)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=10)
    assert (process.returncode, stderr, len(server.requests)) == (status, b"", 1)
    [call] = json.loads(stdout)["call_log"]
    assert (call["effect"], call["attempts"]) in {("sent", 1), ("unknown", 1)}
