"""Effects: what is known of a request that failed, at whatever point; and how a lost answer is settled."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from posthog_service import Call as PostHogCall
from posthog_service import Lua, RecordingPostHog, Sent, failure, get, group
from raw_server import RawServer, Step, reply

from kosmo_lua import Kosmo, Limits, Result
from kosmo_lua.emulator import Emulator
from kosmo_lua.errors import Effect
from kosmo_lua.http import retries
from kosmo_lua.results import Call
from kosmo_lua.values import JsonObject
from kosmo_posthog.emulator.seed import flag
from kosmo_segment import Segment, segment

pytestmark = pytest.mark.usefixtures("retries")

Environ = dict[str, str]

TRACK = 'app.integrations.segment.track({event = "e", userId = "u"})'
LARGE = 'app.integrations.segment.track({event = "e", userId = "u", properties = {x = ("x"):rep(30000)}})'
WHOAMI = "app.integrations.segment.get_current_user()"

UNKNOWN = "The write may or may not have happened; check before you send it again."
NOTHING = "Check the network and the address; nothing was sent."


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each wait that nobody asked for be 10 ms."""
    monkeypatch.setattr(retries, "_backoff", lambda _: 0.01)


class Outcome(NamedTuple):
    """What a run says of its one failed call: in its error, and in its log."""

    code: str
    effect: Effect
    hint: str | None
    attempts: int
    exit_status: int
    status: int | None = None
    retryable: bool = True


def outcome(result: Result) -> Outcome:
    """Return what matters of a run whose last call failed."""
    assert result.error_info
    info, call = result.error_info, result.call_log[-1]
    assert call.error
    assert (call.error.code, call.effect, call.status) == (info.code, info.effect, info.status)
    return Outcome(
        info.code,
        info.effect,
        info.hint,
        call.attempts,
        result.exit_status,
        info.status,
        info.retryable,
    )


def run(environ: Environ, code: str, **options: Any) -> Result:
    """Run Lua code."""
    with Kosmo(environ=environ, **options) as kosmo:
        return kosmo.run(code)


# Nothing has left the machine


@pytest.fixture
def closed_port(to_server: Environ) -> Iterator[Environ]:
    """Give the settings of an address that refuses connections: it is bound, and nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        yield to_server | {"KOSMO_SEGMENT_TRACKING_URL": url, "KOSMO_SEGMENT_API_URL": url}


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("code", [TRACK, WHOAMI])
def test_a_refused_connection_sends_nothing(code: str, closed_port: Environ) -> None:
    """Issue 6: none; it is tried again, for a service may be restarted."""
    assert outcome(run(closed_port, code)) == Outcome("unreachable", "none", NOTHING, 4, 69)


@pytest.mark.parametrize("number", [socket.EAI_NONAME, socket.EAI_NODATA])
def test_a_name_that_does_not_exist_is_asked_for_once(
    number: int, to_server: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: none, and no retries: it will not exist in a minute."""

    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    result = run(to_server | {"KOSMO_SEGMENT_TRACKING_URL": "https://no.example"}, TRACK)
    assert outcome(result) == Outcome("unreachable", "none", NOTHING, 1, 69, retryable=False)
    assert result.error == (
        "eval:1: segment.track_event: cannot connect to no.example: Name or service not known"
    )


@pytest.mark.parametrize(
    ("code", "effect", "hint"),
    [
        (TRACK, "unknown", "segment.track_event may or may not have happened; check before"),
        (f"parallel.map({{1, 2}}, function() {TRACK} end)", "unknown", "2 writes, the first of"),
        (WHOAMI, "none", None),
    ],
)
def test_a_run_that_has_cut_off_writes_says_so(
    code: str, effect: Effect, hint: str | None, server: RawServer, to_server: Environ
) -> None:
    """Ours: whoever sees no more than its error must not think that nothing was sent; a read is harmless."""
    server.usual = b""  # it never answers
    with Kosmo(environ=to_server, limits=Limits(wall=0.5)) as kosmo:
        result = kosmo.run(code)
    info = result.error_info
    assert info
    assert (info.code, info.effect) == ("wall_limit", effect)
    assert info.hint is None if hint is None else (info.hint or "").startswith(hint)
    assert {call.effect for call in result.call_log} == {"unknown"}


@pytest.mark.usefixtures("soon")
def test_a_name_server_that_does_not_answer_is_asked_again(
    to_server: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: none, and it may pass."""

    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    result = run(to_server | {"KOSMO_SEGMENT_TRACKING_URL": "https://no.example"}, TRACK)
    assert outcome(result) == Outcome("unreachable", "none", NOTHING, 4, 69)


@pytest.mark.parametrize("name", ["a" * 70 + ".example", "a..example", "xn--a.example"])
def test_a_name_that_cannot_exist_is_no_defect(name: str, to_server: Environ) -> None:
    """Ours: a label is too long, or empty; an address like that is said to be wrong."""
    result = run(to_server | {"KOSMO_SEGMENT_TRACKING_URL": f"https://{name}"}, TRACK)
    assert result.error_info
    assert result.error_info.code in ("unreachable", "config_error")
    assert result.error_info.effect == "none"


@pytest.mark.usefixtures("soon")
def test_a_server_that_speaks_no_tls_gets_nothing(server: RawServer, to_server: Environ) -> None:
    """Ours: none, for the request waits until the connection is safe."""
    url = server.url.replace("http://", "https://")
    result = run(to_server | {"KOSMO_SEGMENT_TRACKING_URL": url}, TRACK, retry_budget=0)
    assert outcome(result) == Outcome("unreachable", "none", NOTHING, 1, 69)
    assert server.requests == []


def test_a_wrong_certificate_is_looked_at_once(
    server: RawServer, to_server: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: none, and no retries: whoever answers there is not the service."""

    def wrong(*_: object, **__: object) -> None:
        raise ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrong)
    url = server.url.replace("http://", "https://")
    result = run(to_server | {"KOSMO_SEGMENT_TRACKING_URL": url}, TRACK)
    assert outcome(result) == Outcome("unreachable", "none", NOTHING, 1, 69, retryable=False)


# Nobody can know


CUTS = {
    "during the body": Step(reads=15_000, then="reset"),
    "reset after the request": Step(then="reset"),
    "closed after the request": Step(then="close"),
    "in the head": Step(b"HTTP/1.1 200 OK\r\nContent-Le", then="close"),
    "in the middle": Step(b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"succ', then="close"),
    "reset in the middle": Step(
        b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"succ', then="reset"
    ),
    "Content-Length too large": Step(
        b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"success":true}', then="close"
    ),
    "in a chunk": Step(
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"succ', then="close"
    ),
    "no HTTP": Step(b"220 mail.example ESMTP\r\n", then="close"),
}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(
    ("code", "hint", "exit_status"), [(LARGE, UNKNOWN, 3), (WHOAMI, None, 69)]
)
def test_a_cut_connection_leaves_the_effect_unknown(  # noqa: PLR0917  # two tables
    cut: str,
    code: str,
    hint: str | None,
    exit_status: int,
    server: RawServer,
    to_server: Environ,
) -> None:
    """Issue 6: before, during or after the request, or amid the answer: 3 for a write, as it may be there."""
    step = CUTS[cut] if code == LARGE else replace(CUTS[cut], reads=None)
    server.steps.append(step)
    result = run(to_server, code, retry_budget=0)
    assert outcome(result) == Outcome("unreachable", "unknown", hint, 1, exit_status)
    assert len(server.requests) == 1


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_connection_is_mended_by_the_next(
    cut: str, server: RawServer, to_server: Environ
) -> None:
    """Issue 6: the same goes out again, as a whole, on a new connection."""
    server.steps.append(CUTS[cut])
    result = run(to_server, f"return {LARGE}.success, {TRACK}.success")
    assert result.result == [True, True]
    cut_off, whole, other = server.requests
    assert whole.startswith(cut_off)
    assert other != whole
    assert [(call.effect, call.attempts) for call in result.call_log] == [("sent", 2), ("sent", 1)]


class Impatient(Segment):
    """Segment for those who cannot wait."""

    read_seconds = 0.2


@pytest.mark.parametrize(
    ("code", "hint", "exit_status"), [(TRACK, UNKNOWN, 3), (WHOAMI, None, 75)]
)
def test_an_answer_that_is_too_late_leaves_the_effect_unknown(
    code: str, hint: str | None, exit_status: int, kosmo_emulator: Emulator
) -> None:
    """Issue 6: the service has it, and nobody said so."""
    kosmo_emulator.fault(delay=3600)
    integrations = [replace(segment, api=Impatient)]
    result = Kosmo(integrations=integrations, retry_budget=0).run(code)
    assert outcome(result) == Outcome("timed_out", "unknown", hint, 1, exit_status)
    assert len(kosmo_emulator.events()) == (code == TRACK)


@pytest.mark.usefixtures("soon")
def test_an_answer_that_is_too_late_is_asked_for_again(kosmo_emulator: Emulator) -> None:
    """Issue 6: the service drops the second by its ID, and the call says that it has arrived."""
    kosmo_emulator.fault(delay=3600)
    result = Kosmo(integrations=[replace(segment, api=Impatient)]).run(TRACK)
    assert result.error is None
    assert [(call.effect, call.attempts) for call in result.call_log] == [("sent", 2)]
    first, second = kosmo_emulator.events()
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert first["message"] == second["message"]


# The service has answered


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (b'{"succ', 200, 'answered 200, but not with JSON: {"succ'),
        (b"<html>Sign in</html>", 200, "answered 200, but not with JSON: an HTML page"),
        (b"<html>Bad gateway</html>", 502, "answered 502: an HTML page"),
    ],
)
@pytest.mark.parametrize("code", [TRACK, WHOAMI])
def test_an_answer_that_is_not_as_documented_was_an_answer(  # noqa: PLR0917  # two tables
    answer: bytes, status: int, words: str, code: str, server: RawServer, to_server: Environ
) -> None:
    """Issue 6: sent; who answered is another question."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
    server.steps.append(Step(head + answer))
    result = run(to_server, code, retry_budget=0)
    exit_status = 69
    assert outcome(result) == Outcome(
        "service_error", "sent", None, 1, exit_status, status, retryable=status == 502
    )
    assert result.error
    assert result.error.endswith(f"Segment {words}")


@pytest.mark.parametrize("answer", [reply(204), reply(200), b"HTTP/1.1 204 No\r\n\r\n"])
def test_an_empty_answer_is_enough_for_a_write(
    answer: bytes, server: RawServer, to_server: Environ
) -> None:
    """Issue 6: sent."""
    server.steps.append(Step(answer))
    result = run(to_server, f"return {TRACK}.success")
    assert (result.result, result.error) == (True, None)
    assert [call.effect for call in result.call_log] == ["sent"]


@pytest.mark.usefixtures("soon")
def test_a_content_length_that_is_too_small_spoils_no_other_answer(
    server: RawServer, to_server: Environ
) -> None:
    """Ours: what is left over on the connection is not read as the answer to the next request."""
    server.steps.append(
        Step(
            b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n{"success":true}HTTP/1.1 400 No\r\n\r\n'
        )
    )
    result = run(to_server, f"return (pcall(function() return {TRACK} end)), {TRACK}.success")
    assert result.result == [False, True]
    first, second = result.call_log
    assert (first.effect, first.status, first.attempts) == ("sent", 200, 1)
    assert (second.effect, second.status, second.error) == ("sent", 200, None)


# A feature flag whose answer was lost

FLAGS = "/api/projects/1/feature_flags/"
NEW: JsonObject = {
    "key": "k",
    "name": "n",
    "active": True,
    "filters": {"groups": [group(50)]},
    "_should_create_usage_dashboard": False,
}
POST = Sent("POST", FLAGS, body=NEW)
SEARCH = get("feature_flags/?search=k&limit=100")
AGAIN = "Create it again: if it is there after all, PostHog refuses a second one of the key k."


def created(call: PostHogCall) -> Any:
    """Create the flag."""
    return call("create_feature_flag", name="n", key="k", rollout_percentage=50)


@pytest.mark.parametrize("fault", [{"cut": "after"}, {"cut": "during"}])
def test_a_flag_whose_answer_was_lost_is_found_by_its_key(
    fault: Any, call: PostHogCall, recorder: RecordingPostHog, posthog_emulator: Emulator
) -> None:
    """Issue 6: it is never sent twice."""
    posthog_emulator.fault(method="POST", **fault)
    made = created(call)
    assert recorder.requests == [POST, SEARCH]
    assert (made["id"], made["key"], made["rollout_percentage"]) == (5, "k", 50)
    assert len(recorder.state.projects[1].flags) == 5


def test_a_found_flag_was_sent(lua: Lua, posthog_emulator: Emulator) -> None:
    """Issue 6: then the effect is known, and the envelope counts nothing as unknown."""
    posthog_emulator.fault(method="POST", cut="after")
    result = lua('return posthog.create_feature_flag({name = "n", key = "k"}).key')
    assert result.result == "k"
    assert [call._replace(duration_ms=0) for call in result.call_log] == [
        Call("posthog.posthog_create_feature_flag", "default", "write", "sent", 200, 2)
    ]
    assert result.meta.calls.unknown == 0


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_gateway_that_gave_up_has_lost_the_answer_too(
    status: int, call: PostHogCall, recorder: RecordingPostHog, posthog_emulator: Emulator
) -> None:
    """Ours: PostHog behind it may have made the flag."""
    recorder.state.projects[1].flags.append(flag(7, "k") | NEW)
    posthog_emulator.fault(method="POST", status=status)
    assert created(call)["id"] == 7
    assert recorder.requests == [SEARCH]


def test_a_flag_that_is_not_there_leaves_the_effect_unknown(
    call: PostHogCall, recorder: RecordingPostHog, posthog_emulator: Emulator
) -> None:
    """Issue 6: PostHog may be making it just now."""
    posthog_emulator.fault(method="POST", cut="before")
    error = failure(call, "create_feature_flag", name="n", key="k", rollout_percentage=50)
    assert (error.code, error.effect, error.hint) == ("unreachable", "unknown", AGAIN)
    assert recorder.requests == [SEARCH]


def test_a_look_for_a_flag_that_fails_says_nothing_of_it(
    lua: Lua, posthog_emulator: Emulator
) -> None:
    """Ours: the error is that of the write."""
    posthog_emulator.fault(method="POST", cut="after")
    posthog_emulator.fault(method="GET", status=401)
    result = lua('posthog.create_feature_flag({name = "n", key = "k"})')
    assert outcome(result) == Outcome("unreachable", "unknown", AGAIN, 2, 3)


@pytest.mark.parametrize(
    "other",
    [
        {"filters": {"groups": [group(100)]}},
        {"filters": {"groups": [group(50), group(50)]}},
        {"name": "another"},
        {"active": False},
    ],
)
def test_another_flag_of_the_key_is_not_taken_for_ours(
    other: JsonObject, call: PostHogCall, recorder: RecordingPostHog, posthog_emulator: Emulator
) -> None:
    """Issue 6: one that somebody else made differs in what we asked for."""
    recorder.state.projects[1].flags.append(flag(7, "k") | NEW | other)
    posthog_emulator.fault(method="POST", cut="before")
    error = failure(call, "create_feature_flag", name="n", key="k", rollout_percentage=50)
    assert (error.code, error.effect) == ("unreachable", "unknown")
    assert error.hint == "The key k has another flag, number 7: use another key."


def test_the_flag_of_a_longer_key_is_not_taken_for_ours(
    call: PostHogCall, recorder: RecordingPostHog, posthog_emulator: Emulator
) -> None:
    """PostHog: a search finds parts of keys and names."""
    recorder.state.projects[1].flags.append(flag(7, "k2") | NEW | {"key": "k2"})
    posthog_emulator.fault(method="POST", cut="before")
    error = failure(call, "create_feature_flag", name="n", key="k", rollout_percentage=50)
    assert error.hint == AGAIN


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409])
def test_a_refused_flag_is_not_looked_for(
    status: int, call: PostHogCall, recorder: RecordingPostHog, posthog_emulator: Emulator
) -> None:
    """Ours: PostHog has said no."""
    posthog_emulator.fault(method="POST", status=status)
    error = failure(call, "create_feature_flag", name="n", key="k")
    assert (error.status, error.effect, recorder.requests) == (status, "sent", [])


@pytest.mark.usefixtures("soon")
def test_an_update_whose_answer_was_lost_is_sent_again(
    call: PostHogCall, recorder: RecordingPostHog, posthog_emulator: Emulator
) -> None:
    """Issue 6: what is changed twice in the same way is changed once."""
    posthog_emulator.fault(method="PATCH", cut="after")
    changed = call("update_feature_flag", flag_id=2, rollout_percentage=75)
    read, first, second = recorder.requests
    assert read == get("feature_flags/2/")
    assert first == second
    assert changed["rollout_percentage"] == 75


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("lost", [{"cut": "after"}, {"status": 504}])
def test_the_conflict_of_an_update_with_itself_is_none(
    lost: Any, call: PostHogCall, recorder: RecordingPostHog, posthog_emulator: Emulator
) -> None:
    """Issue 6: its lost try was taken, and so the flag is no longer what was read."""
    flags = recorder.state.projects[1].flags
    posthog_emulator.fault(method="PATCH", **lost)
    posthog_emulator.fault(method="PATCH", status=409)
    if "status" in lost:
        flags[1] |= {"version": 2, "active": False}
    changed = call("update_feature_flag", flag_id=2, active=False)
    assert (changed["id"], changed["active"], changed["version"]) == (2, False, 2)
    assert recorder.requests[-1] == get("feature_flags/2/")


@pytest.mark.usefixtures("soon")
def test_a_conflict_after_a_lost_try_with_somebody_else_is_one(
    lua: Lua, posthog_emulator: Emulator
) -> None:
    """Ours: the flag is not as it was asked to be."""
    posthog_emulator.fault(method="PATCH", cut="before")
    posthog_emulator.fault(method="PATCH", status=409)
    result = lua("posthog.update_feature_flag({flag_id = 2, rollout_percentage = 75})")
    hint = "Nothing was changed. Read it again, then decide anew."
    assert outcome(result) == Outcome(
        "service_error", "unknown", hint, 4, 69, 409, retryable=False
    )


def test_a_first_conflict_is_believed(
    call: PostHogCall, recorder: RecordingPostHog, posthog_emulator: Emulator
) -> None:
    """Ours: nothing was lost, and so nothing is looked up."""
    posthog_emulator.fault(method="PATCH", status=409)
    error = failure(call, "update_feature_flag", flag_id=2, active=True)
    assert (error.status, error.effect, recorder.requests) == (409, "sent", [])


@pytest.mark.usefixtures("soon")
def test_a_deletion_whose_answer_was_lost_is_one(
    lua: Lua, recorder: RecordingPostHog, posthog_emulator: Emulator
) -> None:
    """PostHog: what is deleted is not found any more, which is what was wanted."""
    posthog_emulator.fault(method="PATCH", cut="after")
    result = lua("return posthog.delete_feature_flag({flag_id = 2})")
    assert result.result == {"deleted": True, "id": 2, "success": True}
    [call] = result.call_log
    assert (call.effect, call.status, call.attempts, call.error) == ("sent", 404, 2, None)
    assert len(recorder.requests) == 2
