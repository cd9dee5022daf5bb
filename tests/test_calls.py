"""The path of a call: what goes wrong, what a script learns of it, and what is sent and shown."""

import gzip
import json
import logging
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Literal

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from kosmo_lua import Kosmo, KosmoError, Result, __version__
from kosmo_lua.emulator import EmulatedService, Emulator
from kosmo_lua.integration import Event, Params
from kosmo_lua.policy import Question
from kosmo_lua.results import Call, CallError
from kosmo_lua.values import JsonObject
from kosmo_segment import Segment, SegmentCredentials, segment

TRACK = 'app.integrations.segment.track({event = "e", userId = "u"})'
WHOAMI = "app.integrations.segment.get_current_user()"
CALLS = {"write": TRACK, "read": WHOAMI}
NAMES = {"write": "segment.track_event", "read": "segment.get_current_user"}

Access = Literal["read", "write"]
Environ = dict[str, str]


@pytest.fixture
def emulator(kosmo_emulator: Emulator) -> Emulator:
    """Send everything to a fresh emulator."""
    return kosmo_emulator


def run(code: str, **options: Any) -> Result:
    """Run Lua code that calls at most a few functions."""
    return Kosmo(**options).run(code)


def failure(result: Result) -> JsonObject:
    """Return what matters of a failed run."""
    assert result.error_info
    info = result.error_info
    return {
        "code": info.code,
        "status": info.status,
        "retryable": info.retryable,
        "effect": info.effect,
        "hint": info.hint,
        "details": info.details,
        "exit": result.exit_status,
    }


def logged(result: Result) -> list[Call]:
    """Return the call log without the durations."""
    return [call._replace(duration_ms=0) for call in result.call_log]


# The service answers with an error


STATUSES = {
    400: ("service_error", False, 69),
    404: ("service_error", False, 69),
    408: ("service_error", True, 69),
    409: ("service_error", False, 69),
    413: ("service_error", False, 69),
    422: ("service_error", False, 69),
    429: ("rate_limited", True, 75),
    500: ("service_error", True, 69),
    502: ("service_error", True, 69),
    503: ("service_error", True, 69),
    504: ("service_error", True, 69),
}
WORDS = {status: HTTPStatus(status).phrase for status in STATUSES}
"""The phrases of some changed with Python 3.13."""


@pytest.mark.parametrize("access", CALLS)
@pytest.mark.parametrize("status", STATUSES)
def test_an_error_status_is_an_error(status: int, access: Access, emulator: Emulator) -> None:
    """Ours: code, status and exit status as the table says, in the words of the service."""
    code, retryable, exit_status = STATUSES[status]
    emulator.fault(status=status)
    result = run(f"local x = {CALLS[access]}")
    limited = {"hint": "Try again in 1 s.", "details": {"retry_after": 1}}
    assert failure(result) == {
        "code": code,
        "status": status,
        "retryable": retryable,
        "effect": "sent",
        "exit": exit_status,
        **(limited if status == 429 else {"hint": None, "details": None}),
    }
    words = WORDS[status].capitalize() if (status, access) == (429, "read") else WORDS[status]
    message = f"{NAMES[access]}: Segment answered {status}: {words}"
    assert result.error == f"eval:1: {message}"
    error = CallError(code, message)
    assert logged(result) == [Call(NAMES[access], "default", access, "sent", status, 1, 0, error)]


@pytest.mark.parametrize(
    ("access", "variable"),
    [("write", "KOSMO_SEGMENT_WRITE_KEY"), ("read", "KOSMO_SEGMENT_API_TOKEN")],
)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_named_by_its_variable(
    status: int, access: Access, variable: str, emulator: Emulator
) -> None:
    """Segment: 401 also means that a permission is missing; ours: the hint says what to look at."""
    emulator.fault(status=status)
    assert failure(run(CALLS[access])) == {
        "code": "service_error",
        "status": status,
        "retryable": False,
        "effect": "sent",
        "hint": f"Check {variable} and the region of the account default.",
        "details": None,
        "exit": 69,
    }


@pytest.mark.parametrize(
    ("headers", "hint", "details"),
    [
        ({"Retry-After": "7"}, "Try again in 7 s.", {"retry_after": 7}),
        ({"Retry-After": "0"}, "Try again in 0 s.", {"retry_after": 0}),
        ({"Retry-After": "0.25"}, "Try again in 0.25 s.", {"retry_after": 0.25}),
        (
            {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"},
            "Try again in 0 s.",
            {"retry_after": 0},
        ),
        ({"X-RateLimit-Reset": "3"}, "Try again in 3 s.", {"retry_after": 3}),
        (
            {"Retry-After": "9" * 5000, "X-RateLimit-Reset": "3"},
            "Try again in 3 s.",
            {"retry_after": 3},
        ),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "9" * 5000}, None, None),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(
    headers: dict[str, str], hint: str | None, details: JsonObject | None, emulator: Emulator
) -> None:
    """RFC 9110: seconds or a date; Segment: a reset, too; ours: a script can wait for so long."""
    silence = {"Retry-After": None, "X-RateLimit-Reset": None}
    emulator.fault(status=429, headers={**silence, **headers}, body="{}")
    failed = failure(run(WHOAMI))
    assert (failed["code"], failed["hint"], failed["details"]) == ("rate_limited", hint, details)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (502, "<html><body>nginx</body></html>", "Segment answered 502: an HTML page"),
        (503, " \n<!doctype html>", "Segment answered 503: an HTML page"),
        (400, '{"errors": [{"message": "1"}, {"type": "b"}]}', "Segment answered 400: 1; b"),
        (400, '{"odd": [1]}', 'Segment answered 400: {"odd": [1]}'),
        (400, "[1, 2]", "Segment answered 400: [1, 2]"),
        (400, '{"errors": 5}', 'Segment answered 400: {"errors": 5}'),
        (400, "{broken", "Segment answered 400: {broken"),
        (500, "", "Segment answered 500"),
        (200, "<html>Sign in</html>", "Segment answered 200, but not with JSON: an HTML page"),
        (200, "{broken\njson", "Segment answered 200, but not with JSON: {broken json"),
        (400, "{" + "x" * 500, "Segment answered 400: {" + "x" * 299 + "..."),
    ],
)
@pytest.mark.parametrize("access", CALLS)
def test_an_answer_that_is_not_as_documented_is_told_in_one_line(
    status: int, body: str, message: str, access: Access, emulator: Emulator
) -> None:
    """Ours: a proxy's page or a half document is an error of the service and never a traceback."""
    emulator.fault(status=status, body=body)
    result = run(f"local x = {CALLS[access]}")
    assert result.error == f"eval:1: {NAMES[access]}: {message}"
    failed = failure(result)
    assert (failed["code"], failed["status"], failed["effect"]) == (
        "service_error",
        status,
        "sent",
    )
    assert failed["retryable"] == (status >= 500)


@pytest.mark.parametrize("status", [200, 204])
def test_an_answer_without_content_is_enough_for_a_write(status: int, emulator: Emulator) -> None:
    """Ours: a write needs only the status; a read that got nothing says so."""
    emulator.fault(status=status, body="", times=2)
    written, read = run(f"return {TRACK}.success"), run(f"local x = {WHOAMI}")
    assert (written.error, written.result) == (None, True)
    assert read.error == (
        "eval:1: segment.get_current_user: "
        "Segment answered with JSON that is not what it documents"
    )
    assert [call.effect for call in (*written.call_log, *read.call_log)] == ["sent", "sent"]


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "5",
        "[]",
        '"text"',
        "{}",
        '{"data": 5}',
        '{"data": {}}',
        '{"data": {"workspace": []}}',
    ],
)
def test_json_of_another_shape_is_an_error_of_the_service(body: str, emulator: Emulator) -> None:
    """Ours: whatever comes, it is no defect of the adapter."""
    emulator.fault(status=200, body=body if body[0] in "{[" else f" {body}")
    failed = failure(run(WHOAMI))
    assert (failed["code"], failed["effect"]) == ("service_error", "sent")


# The service does not answer


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Give a port of this machine that refuses connections: it is bound, and nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize("access", CALLS)
def test_a_refused_connection_sends_nothing(
    access: Access, closed_port: int, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: effect none says that a write can be repeated without harm."""
    for name in ("TRACKING_URL", "API_URL"):
        monkeypatch.setenv(f"KOSMO_SEGMENT_{name}", f"http://127.0.0.1:{closed_port}")
    result = run(f"local x = {CALLS[access]}")
    assert failure(result) == {
        "code": "unreachable",
        "status": None,
        "retryable": True,
        "effect": "none",
        "hint": "Check the network and the address; nothing was sent.",
        "details": None,
        "exit": 69,
    }
    message = f"{NAMES[access]}: cannot connect to 127.0.0.1:{closed_port}: Connection refused"
    assert result.error == f"eval:1: {message}"
    error = CallError("unreachable", message)
    assert logged(result) == [Call(NAMES[access], "default", access, "none", None, 1, 0, error)]
    assert emulator.events() == []


UNKNOWN = "The write may or may not have happened; check before you send it again."


@pytest.mark.parametrize(("access", "exit_status"), [("write", 3), ("read", 69)])
@pytest.mark.parametrize(("cut", "received"), [("before", 0), ("during", 1), ("after", 1)])
def test_a_connection_that_is_cut_leaves_the_effect_unknown(  # two tables
    cut: Any, received: int, access: Access, exit_status: int, emulator: Emulator
) -> None:
    """Ours: nobody can know whether a cut write happened, so the run says partial, 3."""
    emulator.fault(cut=cut)
    result = run(f"local x = {CALLS[access]}")
    assert failure(result) == {
        "code": "unreachable",
        "status": None,
        "retryable": True,
        "effect": "unknown",
        "hint": UNKNOWN if access == "write" else None,
        "details": None,
        "exit": exit_status,
    }
    address = emulator.url.removeprefix("http://")
    message = f"{NAMES[access]}: {address} cut the connection before it answered"
    error = CallError("unreachable", message)
    assert logged(result) == [Call(NAMES[access], "default", access, "unknown", None, 1, 0, error)]
    assert len(emulator.events()) == (received if access == "write" else 0)
    assert result.meta.calls.wrote == (access == "write")


class Impatient(Segment):
    """Segment for those who cannot wait."""

    read_seconds = 0.2


@pytest.mark.parametrize(("access", "exit_status"), [("write", 3), ("read", 75)])
def test_an_answer_that_takes_too_long_leaves_the_effect_unknown(
    access: Access, exit_status: int, emulator: Emulator
) -> None:
    """Ours: 75, safe to run again, only when nothing was written."""
    emulator.fault(delay=3600)
    result = run(f"local x = {CALLS[access]}", integrations=[replace(segment, api=Impatient)])
    assert failure(result) == {
        "code": "timed_out",
        "status": None,
        "retryable": True,
        "effect": "unknown",
        "hint": UNKNOWN if access == "write" else None,
        "details": None,
        "exit": exit_status,
    }
    address = emulator.url.removeprefix("http://")
    assert result.error == f"eval:1: {NAMES[access]}: {address} did not answer within 0.2 s"
    assert len(emulator.events()) == (1 if access == "write" else 0)


class Careful(Segment):
    """An adapter that looks before it writes."""

    def deliver(self, event: Event) -> None:
        """Send an event after a look at the workspace."""
        self.workspace()
        super().deliver(event)


@pytest.mark.parametrize(
    ("path", "effect", "hint", "exit_status"),
    [("/", "none", None, 69), ("/v1/track", "unknown", UNKNOWN, 3)],
)
def test_a_look_before_a_write_is_no_write(
    path: str, effect: str, hint: str | None, exit_status: int, emulator: Emulator
) -> None:
    """Ours: the effect of a write is that of the requests that may change something."""
    emulator.fault(cut="after", path=path)
    result = run(TRACK, integrations=[replace(segment, api=Careful)])
    failed = failure(result)
    assert (failed["effect"], failed["hint"], failed["exit"]) == (effect, hint, exit_status)
    assert (failed["retryable"], len(emulator.events())) == (True, int(effect == "unknown"))


# What a run as a whole has done


@pytest.mark.parametrize(
    ("code", "wrote", "exit_status"),
    [
        (f"print(503) {TRACK}", 0, 69),
        (f"{TRACK} print(503) {TRACK}", 1, 3),
        (f"{TRACK} print(503) {WHOAMI}", 1, 3),
        (f"{TRACK} print(429) {WHOAMI}", 1, 3),
        (f"{TRACK} print(400) {TRACK}", 1, 69),
        (f"{WHOAMI} print(429) {TRACK}", 0, 75),
        (f"print(503) pcall(function() {TRACK} end) print(503) {TRACK}", 0, 69),
        (f"{TRACK} error('enough')", 1, 1),
        (f"{TRACK} print(503) pcall(function() {TRACK} end)", 1, 0),
    ],
)
def test_a_failure_after_an_accepted_write_is_partial(
    code: str, wrote: int, exit_status: int, emulator: Emulator
) -> None:
    """Ours: 3 says that running the whole again would write again; other failures stay as they are."""
    # What the script prints is the status of the next answer.
    result = Kosmo().run(code, on_output=lambda text: emulator.fault(status=int(text)))
    assert (result.exit_status, result.meta.calls.wrote) == (exit_status, wrote)


def test_a_script_sees_what_the_envelope_says(emulator: Emulator) -> None:
    """Ours: the error table has the same fields, and reads as the sentence."""
    emulator.fault(status=429, retry_after=7)
    result = run(f"""
        local ok, err = pcall(function()
            local x = {TRACK}
        end)
        return {{
            ok = ok, code = err.code, status = err.status, retryable = err.retryable,
            effect = err.effect, called = err["function"], message = err.message, hint = err.hint,
            wait = err.details.retry_after, line = err.line, text = "Error: " .. err,
        }}
    """)
    message = "segment.track_event: Segment answered 429: Too Many Requests"
    assert result.result == {
        "ok": False,
        "code": "rate_limited",
        "status": 429,
        "retryable": True,
        "effect": "sent",
        "called": "segment.track_event",
        "message": message,
        "hint": "Try again in 7 s.",
        "wait": 7,
        "line": 3,
        "text": f"Error: eval:3: {message}",
    }


def test_a_call_from_python_raises_what_a_script_would_see(emulator: Emulator) -> None:
    """Ours: an embedder gets the same facts, and the sentence as the text of the error."""
    emulator.fault(cut="before")
    with Kosmo() as kosmo, pytest.raises(KosmoError) as caught:
        kosmo.call("segment.track", {"event": "e", "userId": "u"})
    address = emulator.url.removeprefix("http://")
    message = f"segment.track_event: {address} cut the connection before it answered"
    assert str(caught.value) == message
    assert caught.value.facts() == {
        "code": "unreachable",
        "message": message,
        "hint": UNKNOWN,
        "function": "segment.track_event",
        "status": None,
        "retryable": True,
        "effect": "unknown",
        "details": None,
    }


# Credentials and settings


def configured(emulator: Emulator, **settings: str) -> Environ:
    """Return an environment that leads to the emulator and allows writes, with these settings."""
    fixed = {"TRACKING_URL": emulator.url, "API_URL": emulator.url, "WRITE": "allow"}
    return {f"KOSMO_SEGMENT_{name}": value for name, value in {**fixed, **settings}.items()}


@pytest.mark.parametrize(
    ("access", "missing", "variable"),
    [
        ("write", "write key", "KOSMO_SEGMENT_WRITE_KEY"),
        ("read", "api token", "KOSMO_SEGMENT_API_TOKEN"),
    ],
)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_credential_is_named_by_its_variable(  # two tables
    value: str | None, access: Access, missing: str, variable: str, emulator: Emulator
) -> None:
    """Ours: the one thing to set is in the hint, and nothing is sent."""
    environ = configured(emulator) | ({variable: value} if value is not None else {})
    result = run(f"local x = {CALLS[access]}", environ=environ)
    message = f"{NAMES[access]}: the account default of Segment has no {missing}"
    assert result.error == f"eval:1: {message}"
    assert failure(result) == {
        "code": "credentials_missing",
        "status": None,
        "retryable": False,
        "effect": "none",
        "hint": f"Set {variable}, store it with kosmo accounts:add segment default, "
        "or try it with --emulator.",
        "details": None,
        "exit": 78,
    }
    error = CallError("credentials_missing", message)
    assert logged(result) == [Call(NAMES[access], "default", access, "none", None, 0, 0, error)]
    assert emulator.events() == []


def test_the_key_of_the_other_api_does_not_help(emulator: Emulator) -> None:
    """Segment: a token sends no events, and a write key reads nothing."""
    keys = {"WRITE_KEY": "w"}, {"API_TOKEN": "emulator-api-token"}
    codes = [
        [run(call, environ=configured(emulator, **key)).exit_status for call in CALLS.values()]
        for key in keys
    ]
    assert codes == [[0, 78], [78, 0]]


@pytest.mark.parametrize(
    ("variables", "used"),
    [
        ({"SEGMENT_WRITE_KEY": "vendor"}, "vendor"),
        ({"SEGMENT_WRITE_KEY": "vendor", "KOSMO_SEGMENT_WRITE_KEY": "own"}, "own"),
        ({"SEGMENT_WRITE_KEY": "vendor", "KOSMO_SEGMENT_WRITE_KEY": ""}, "vendor"),
        ({"KOSMO_SEGMENT__DEFAULT__WRITE_KEY": "named"}, "named"),
        ({"KOSMO_SEGMENT__DEFAULT__WRITE_KEY": "named", "KOSMO_SEGMENT_WRITE_KEY": "own"}, "own"),
        ({"KOSMO_SEGMENT_WRITE_KEY": " spaced\n"}, "spaced"),
    ],
)
def test_the_nearest_name_of_a_variable_wins(
    variables: Environ, used: str, emulator: Emulator
) -> None:
    """Ours: our own names come before the vendor's."""
    run(TRACK, environ=configured(emulator) | variables)
    assert [event["write_key"] for event in emulator.events()] == [used]


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("integration.segment.track", "integrations.segment.track"),
        ("Integrations.segment.track", "integrations.segment.track"),
        ("integration", "integrations"),
        ("MCP.github.search", "mcp.github.search"),
        ("segment.track", "integrations.segment.track"),
    ],
)
def test_what_app_has_not_is_told_with_what_was_meant(
    run: Callable[..., Result], path: str, meant: str
) -> None:
    """Ours: where only the first word is wrong, the rest is kept."""
    result = run(f"app.{path}{{}}")
    assert result.error == f"eval:1: unknown function app.{path}: app has integrations and mcp"
    assert result.error_info is not None
    assert result.error_info.hint == f"Did you mean app.{meant}?"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("prodution", "unknown account prodution of Segment. Did you mean: production?"),
        ("PRODUTION", "unknown account PRODUTION of Segment. Did you mean: production?"),
        ("x", "unknown account x of Segment. Configured: default, production."),
    ],
)
def test_an_unknown_account_is_an_error(path: str, message: str, emulator: Emulator) -> None:
    """Ours: it names the accounts that there are, and the variables and the command that would add it."""
    environ = configured(emulator) | {"KOSMO_SEGMENT__PRODUCTION__WRITE_KEY": "p"}
    call = f'app.integrations.segment.{path}.track({{event = "e", userId = "u"}})'
    result = run(f"local x = {call}", environ=environ)
    assert result.error == f"eval:1: segment.track_event: {message}"
    failed = failure(result)
    assert (failed["code"], failed["exit"]) == ("unknown_account", 78)
    assert failed["hint"] == (
        f"To add it, set KOSMO_SEGMENT__{path.upper()}__..."
        " (WRITE_KEY/API_TOKEN/REGION/TRACKING_URL/API_URL),"
        f" or run kosmo accounts:add segment {path}."
    )
    assert emulator.events() == []


def test_a_hint_names_only_an_account_that_can_be_added(emulator: Emulator) -> None:
    """Ours: what a script asks for may be any text, and a hint is a command to copy."""
    call = 'app.integrations.segment["$(rm -r x)"].track({event = "e", userId = "u"})'
    result = run(f"local x = {call}", environ=configured(emulator))
    assert failure(result)["hint"] == "To add it, run kosmo accounts:add segment __rm__r_x_."


ADDRESS = "must be an address such as https://api.example.com"
ORIGIN = "must be an origin, without a path, query or user: https://api.example.com"
HTTPS = "must start with https:// (http:// is for this machine only)"
CHARACTERS = "contains characters that no key or address has"
SPACED = "contains a quote or white space, which no key of Segment has"
MEANS = "begins with {}, which means something in credentials.toml only"


@pytest.mark.parametrize(
    ("setting", "value", "problem"),
    [
        ("REGION", "canary", "should be 'us' or 'eu'"),
        ("TRACKING_URL", "canary", ADDRESS),
        ("TRACKING_URL", "ftp://canary.example.com", ADDRESS),
        ("TRACKING_URL", "https://canary:port", ADDRESS),
        ("TRACKING_URL", "https://canary:99999", ADDRESS),
        ("TRACKING_URL", "https://[canary", ADDRESS),
        ("TRACKING_URL", "https://canary example.com", ADDRESS),
        ("TRACKING_URL", "http://canary.example.com", HTTPS),
        ("TRACKING_URL", "http://127.0.0.1.canary.com", HTTPS),
        ("TRACKING_URL", "http://localhost@canary.com", HTTPS),
        ("TRACKING_URL", "https://api.example.com/canary", ORIGIN),
        ("TRACKING_URL", "https://api.example.com/v1/track?canary", ORIGIN),
        ("TRACKING_URL", "https://api.example.com?canary", ORIGIN),
        ("TRACKING_URL", "https://canary:x@api.example.com", ORIGIN),
        ("WRITE_KEY", "canary\nX-Header: y", CHARACTERS),
        ("WRITE_KEY", "canary\u00e9", CHARACTERS),
        ("WRITE_KEY", "canary\x00", CHARACTERS),
        ("WRITE_KEY", '"canary"', "is in quotes"),
        ("WRITE_KEY", "'canary", SPACED),
        ("WRITE_KEY", "can`ary", SPACED),
        ("WRITE_KEY", "canary x", SPACED),
        ("API_TOKEN", "canary x", SPACED),
        ("WRITE_KEY", "keyring:canary", MEANS.format("keyring:")),
        ("WRITE_KEY", "keyring:", MEANS.format("keyring:")),
        ("WRITE_KEY", "cmd:echo canary", MEANS.format("cmd:")),
        ("REGION", '"eu"', "is in quotes"),
        ("TRACKING_URL", "'https://canary.example.com'", "is in quotes"),
    ],
)
def test_a_setting_that_cannot_be_used_is_an_error(
    setting: str, value: str, problem: str, emulator: Emulator
) -> None:
    """Ours: the variable is named, its value is not shown, and nothing is sent anywhere."""
    environ = configured(emulator, WRITE_KEY="key") | {f"KOSMO_SEGMENT_{setting}": value}
    result = run(f"local x = {TRACK}", environ=environ)
    assert result.error == f"eval:1: segment.track_event: KOSMO_SEGMENT_{setting} {problem}"
    failed = failure(result)
    assert (failed["code"], failed["effect"], failed["exit"]) == ("config_error", "none", 78)
    assert "canary" not in result.to_json()
    assert logged(result)[0].attempts == 0
    assert emulator.events() == []


def test_a_misspelt_setting_of_an_account_is_an_error(emulator: Emulator) -> None:
    """Ours: a variable that would be ignored is named with what was meant."""
    prefix = "KOSMO_SEGMENT__PRODUCTION__"
    environ = configured(emulator) | {f"{prefix}WRITE_KEY": "k", f"{prefix}REGON": "eu"}
    result = run("app.integrations.segment.production.identify('u')", environ=environ)
    assert result.error == (
        "eval:1: segment.identify_user: KOSMO_SEGMENT__PRODUCTION__REGON is not a setting of "
        "Segment: did you mean KOSMO_SEGMENT__PRODUCTION__REGION?"
    )
    assert failure(result)["code"] == "config_error"


# Permission


ALLOWED: tuple[str, int] = ("allowed", 0)
ASKED: tuple[str, int] = ("approval_required", 77)
DENIED: tuple[str, int] = ("denied", 77)
UNCLEAR: tuple[str, int] = ("config_error", 78)


@pytest.mark.parametrize(
    ("access", "value", "options", "outcome"),
    [
        ("write", None, {}, ASKED),
        ("write", "", {}, ASKED),
        ("write", "ask", {}, ASKED),
        ("write", "allow", {}, ALLOWED),
        ("write", " Allow ", {}, ALLOWED),
        ("write", "deny", {}, DENIED),
        ("write", "yes", {}, UNCLEAR),
        ("write", None, {"force": True}, ALLOWED),
        ("write", "deny", {"force": True}, ALLOWED),
        ("write", "yes", {"force": True}, UNCLEAR),
        ("write", None, {"ask": lambda _: True}, ALLOWED),
        ("write", None, {"ask": lambda _: False}, ASKED),
        ("write", "deny", {"ask": lambda _: True}, DENIED),
        ("read", None, {}, ALLOWED),
        ("read", "allow", {}, ALLOWED),
        ("read", "ask", {}, ASKED),
        ("read", "ask", {"ask": lambda _: True}, ALLOWED),
        ("read", "deny", {}, DENIED),
        ("read", "deny", {"force": True}, ALLOWED),
        ("read", "no", {}, UNCLEAR),
    ],
)
def test_the_policy_decides_before_anything_is_sent(  # noqa: PLR0917  # a table
    access: Access,
    value: str | None,
    options: dict[str, Any],
    outcome: tuple[str, int],
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ours: reads are allowed and writes asked about; a variable or --force says otherwise."""
    variable = f"KOSMO_SEGMENT_{access.upper()}"
    monkeypatch.delenv("KOSMO_SEGMENT_WRITE")
    if value is not None:
        monkeypatch.setenv(variable, value)
    result = run(CALLS[access], **options)
    code = result.error_info.code if result.error_info else "allowed"
    assert (code, result.exit_status) == outcome
    assert [call.attempts for call in result.call_log] == [int(outcome == ALLOWED)]
    assert len(emulator.events()) == int(access == "write" and outcome == ALLOWED)
    assert result.meta.permission_bypassed == ("force" in options)


@pytest.mark.parametrize("value", ["ask", "deny"])
@pytest.mark.parametrize("access", CALLS)
def test_everything_is_allowed_on_the_emulator(access: Access, value: str) -> None:
    """Ours: nothing real can happen there, and a first workflow needs no set-up."""
    environ = {f"KOSMO_SEGMENT_{access.upper()}": value}
    with Kosmo(environ=environ, emulator=True) as kosmo:
        assert kosmo.run(CALLS[access]).error is None
        assert len(kosmo.emulator.events()) == int(access == "write")


def test_a_question_says_what_would_be_written(emulator: Emulator) -> None:
    """Ours: who is asked sees the function, the account and the arguments; each call is asked once."""
    asked: list[Question] = []

    def ask(question: Question) -> bool:
        asked.append(question)
        return len(asked) == 1

    environ = configured(emulator, WRITE="ask", WRITE_KEY="key", API_TOKEN="emulator-api-token")
    result = run(f"{TRACK} {WHOAMI} {TRACK}", environ=environ, ask=ask)
    assert asked == 2 * [Question("segment.track_event", "default", {"event": "e", "userId": "u"})]
    assert len(emulator.events()) == 1
    assert result.error == "eval:1: segment.track_event: a write to segment was not approved"


def test_faults_are_told_in_the_order_in_which_they_are_mended(emulator: Emulator) -> None:
    """Ours: arguments, permission, account; nobody is asked about a call that cannot be."""
    environ = {"KOSMO_SEGMENT_TRACKING_URL": "mars"}
    asked: list[Question] = []

    def ask(question: Question) -> bool:
        asked.append(question)
        return True

    runs = [
        run("app.integrations.segment.track({})", environ=environ, ask=ask),
        run(TRACK, environ=environ),
        run(TRACK, environ=environ, force=True),
    ]
    codes = [failure(result)["code"] for result in runs]
    assert codes == ["invalid_arguments", "approval_required", "config_error"]
    assert asked == []
    assert emulator.events() == []


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("ask", "a write to segment needs approval, and there was nobody to ask"),
        ("deny", "the policy denies every write to segment (KOSMO_SEGMENT_WRITE=deny)"),
    ],
)
def test_the_hint_is_the_command_that_would_have_been_allowed(
    value: str, sentence: str, emulator: Emulator, kosmo: Callable[..., Any]
) -> None:
    """Ours: exit status 77, and what to type instead."""
    arguments = ["integrations:lua", "--eval", TRACK, "--json"]
    refused = kosmo(*arguments, env={"KOSMO_SEGMENT_WRITE": value})
    info = refused.json()["error_info"]
    assert (refused.status, refused.json()["error"]) == (
        77,
        f"eval:1: segment.track_event: {sentence}",
    )
    assert info["hint"] == (
        f"Allow it with kosmo integrations:lua --eval '{TRACK}' --json --force, "
        "or set KOSMO_SEGMENT_WRITE=allow."
    )
    assert emulator.events() == []
    allowed = kosmo(*arguments, "--force", env={"KOSMO_SEGMENT_WRITE": value})
    assert (allowed.status, len(emulator.events())) == (0, 1)
    assert allowed.json()["meta"]["permission_bypassed"] is True


# Secrets


KEYS = {"write": "canary-write-key-0123", "read": "canary-api-token-4567"}


class Scripted(EmulatedService):
    """A service that keeps whole requests and gives the answer that the test wants."""

    url = ""

    def __init__(self) -> None:
        self.answer: Callable[[Request], Response] = lambda _: JSONResponse({})
        self.requests: list[tuple[Request, bytes]] = []
        self.routes = [Route("/{path:path}", self.serve, methods=["GET", "POST"])]

    async def serve(self, request: Request) -> Response:
        """Keep the request and answer it."""
        self.requests.append((request, await request.body()))
        return self.answer(request)

    def events(self) -> list[JsonObject]:
        """Nothing: the requests are kept whole."""
        return []

    def reset(self) -> None:
        """Forget the requests."""
        self.requests.clear()


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """Run a service that answers what the test says."""
    with Emulator({"segment": f"{__name__}:Scripted"}) as emulator:
        service = emulator.service("segment")
        assert isinstance(service, Scripted)
        service.url = emulator.url
        yield service


@pytest.fixture
def secretive(scripted: Scripted) -> Environ:
    """Give an environment with keys that can be recognised wherever they show."""
    keys = {"WRITE_KEY": KEYS["write"], "API_TOKEN": KEYS["read"], "WRITE": "allow"}
    urls = {"TRACKING_URL": scripted.url, "API_URL": scripted.url}
    own = {f"KOSMO_SEGMENT_{name}": value for name, value in {**keys, **urls}.items()}
    return {**own, "KOSMO_RETRY_BUDGET": "0"}


def test_a_key_is_sent_in_the_authorization_header_and_nowhere_else(
    scripted: Scripted, secretive: Environ
) -> None:
    """Segment: a key in the body would show in its debugger; ours: compare the whole request."""
    run(TRACK, environ=secretive)
    run(WHOAMI, environ=secretive)
    (track, event), (workspace, nothing) = scripted.requests
    basic = "Basic " + b64encode(f"{KEYS['write']}:".encode()).decode()
    common = {
        "host": scripted.url.removeprefix("http://"),
        "accept-encoding": track.headers["accept-encoding"],
        "connection": "keep-alive",
        "user-agent": track.headers["user-agent"],
    }
    assert track.headers["user-agent"].startswith("kosmo-lua/")
    assert (track.method, str(track.url), dict(track.headers)) == (
        "POST",
        f"{scripted.url}/v1/track",
        {
            **common,
            "accept": "*/*",
            "authorization": basic,
            "content-type": "application/json",
            "content-length": str(len(event)),
        },
    )
    assert {**json.loads(event), "timestamp": "TIME", "sentAt": "TIME"} == {
        "type": "track",
        "event": "e",
        "userId": "u",
        "timestamp": "TIME",
        "messageId": json.loads(event)["messageId"],
        "context": {"library": {"name": "kosmo-lua", "version": __version__}},
        "sentAt": "TIME",
    }
    assert (workspace.method, str(workspace.url), dict(workspace.headers), nothing) == (
        "GET",
        f"{scripted.url}/",
        {
            **common,
            "accept": "application/vnd.segment.v1+json, application/json",
            "authorization": f"Bearer {KEYS['read']}",
        },
        b"",
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("access", CALLS)
def test_a_redirect_is_not_followed(
    status: int, access: Access, scripted: Scripted, secretive: Environ
) -> None:
    """Ours: it could carry a key to another host."""
    location = {"Location": f"{scripted.url}/elsewhere"}
    scripted.answer = lambda _: Response(status_code=status, headers=location)
    result = run(f"local x = {CALLS[access]}", environ=secretive)
    message = f"Segment answered {status}: a redirect, which is not followed"
    assert result.error == f"eval:1: {NAMES[access]}: {message}"
    assert failure(result)["code"] == "service_error"
    assert len(scripted.requests) == 1


@pytest.mark.parametrize("access", CALLS)
def test_a_body_whose_encoding_is_broken_is_an_error_of_the_service(
    access: Access, scripted: Scripted, secretive: Environ
) -> None:
    """Ours: the service answered, so the effect is known."""
    scripted.answer = lambda _: Response(b"no gzip", headers={"Content-Encoding": "gzip"})
    result = run(f"local x = {CALLS[access]}", environ=secretive)
    message = "Segment answered with a body whose encoding is broken"
    assert result.error == f"eval:1: {NAMES[access]}: {message}"
    failed = failure(result)
    assert (failed["code"], failed["effect"], failed["retryable"]) == (
        "service_error",
        "sent",
        False,
    )


@pytest.mark.parametrize("access", CALLS)
def test_an_answer_without_end_is_cut_and_an_error_of_the_service(
    access: Access, scripted: Scripted, secretive: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: also one that is small only as long as it is packed; the service had answered."""
    monkeypatch.setattr("kosmo_lua.http.connections.MAX_ANSWER", 1024 * 1024)
    packed = gzip.compress(b" " * 2_000_000 + b"{}")
    scripted.answer = lambda _: Response(packed, headers={"Content-Encoding": "gzip"})
    result = run(f"local x = {CALLS[access]}", environ=secretive)
    message = "Segment answered with more than 1 MiB"
    assert result.error == f"eval:1: {NAMES[access]}: {message}"
    failed = failure(result)
    assert (failed["code"], failed["effect"], failed["status"], failed["retryable"]) == (
        "service_error",
        "sent",
        200,
        False,
    )


@pytest.mark.parametrize(
    "charset", ["bz2", "hex", "rot13", "idna", "undefined", "x\x80", "*0*=x; a", "utf-8"]
)
def test_words_in_a_charset_of_no_text_are_read_as_utf8(
    charset: str, scripted: Scripted, secretive: Environ
) -> None:
    """Ours: what a service says of its texts is no defect of the adapter, and nothing is unpacked."""
    headers = {"Content-Type": f"text/plain; charset={charset}"}
    scripted.answer = lambda _: Response("kaputt, größtenteils \xff".encode(), 503, headers)
    result = run(f"local x = {WHOAMI}", environ=secretive)
    words = "Segment answered 503: kaputt, größtenteils \xff"
    assert (result.error or "").removeprefix("eval:1: segment.get_current_user: ") == words


def test_words_are_read_in_their_charset(scripted: Scripted, secretive: Environ) -> None:
    """Ours: an old gateway answers for the service."""
    headers = {"Content-Type": "text/plain; charset=iso-8859-1"}
    scripted.answer = lambda _: Response("gr\xf6\xdfer".encode("latin-1"), 503, headers)
    result = run(f"local x = {WHOAMI}", environ=secretive)
    assert (result.error or "").endswith("Segment answered 503: größer")


def test_json_that_is_nested_without_end_is_an_error_of_the_service(
    scripted: Scripted, secretive: Environ
) -> None:
    """Ours: what a parser cannot take is no defect of the adapter."""
    scripted.answer = lambda _: Response("[" * 200_000)
    result = run(f"local x = {WHOAMI}", environ=secretive)
    assert result.error == (
        "eval:1: segment.get_current_user: "
        f"Segment answered 200, but not with JSON: {'[' * 300}..."
    )


ECHOES: dict[str, Callable[[Request], Response]] = {
    "header": lambda request: PlainTextResponse(request.headers["authorization"], 400),
    "key in a message": lambda _: JSONResponse(
        {"code": "x", "message": f"no key {KEYS['write']} or {KEYS['read']}"}, 401
    ),
    "key in other JSON": lambda _: JSONResponse([KEYS["write"], KEYS["read"]], 500),
    "key in no JSON": lambda _: PlainTextResponse(f"{KEYS['write']} {KEYS['read']}"),
    "key where the text is cut": lambda _: PlainTextResponse(
        f"{'x' * 290} {KEYS['write']} {KEYS['read']}", 400
    ),
    "key in a header": lambda _: JSONResponse(
        {}, 429, headers={"Retry-After": KEYS["write"], "X-Key": KEYS["read"]}
    ),
}


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("access", CALLS)
def test_a_key_that_the_service_repeats_is_shown_nowhere(
    access: Access,
    echo: str,
    scripted: Scripted,
    secretive: Environ,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Ours: not in the envelope, in what the script sees, in an error from Python, or in our logs."""
    scripted.answer = ECHOES[echo]
    caplog.set_level(logging.INFO)
    code = f"""
        local ok, err = pcall(function() return {CALLS[access]} end)
        dump(err) print(tostring(err), err.message, err.hint, json.encode(err.details or {{}}))
        {CALLS[access]}
    """
    with Kosmo(environ=secretive) as kosmo:
        result = kosmo.run(code)
        with pytest.raises(KosmoError) as caught:
            kosmo.call(NAMES[access], {"event": "e", "userId": "u"} if access == "write" else {})
    error = caught.value
    shown = [result.to_json(), repr(result), str(error), repr(error), repr(error.facts())]
    shown += [caplog.text, repr(kosmo)]
    assert result.error
    assert "answered" in result.error
    # A part of eight characters is enough to be recognised.
    header = b64encode(f"{KEYS['write']}:".encode()).decode()
    for secret in (*KEYS.values(), header):
        parts = {secret[at : at + 8] for at in range(len(secret) - 7)}
        assert [part for part in parts for text in shown if part in text] == []


class Careless(Segment):
    """An adapter that puts a key where none belongs."""

    def event(self, kind: str, event: Params) -> Event:
        """Warn with the key, and break."""
        key = self.credentials.write_key
        assert key
        self.warnings.append(f"{kind} with {key.get_secret_value()}")
        raise LookupError(key.get_secret_value(), event)


def test_a_careless_adapter_shows_no_key(scripted: Scripted, secretive: Environ) -> None:
    """Ours: a defect of an integration and its warnings go through the same sieve."""
    result = run(
        f"local x = {TRACK}",
        environ=secretive,
        integrations=[replace(segment, api=Careless)],
    )
    failed = failure(result)
    assert (failed["code"], failed["exit"]) == ("internal", 70)
    assert result.error
    assert result.error.startswith(
        "eval:1: segment.track_event: a defect of the integration, LookupError: ('********', "
    )
    assert result.warnings == ("track with ********",)
    assert KEYS["write"] not in result.to_json()
    assert scripted.requests == []


def test_credentials_do_not_show_themselves() -> None:
    """Ours: a key in a variable of somebody's debugger or log stays hidden."""
    account = SegmentCredentials.model_validate({"write_key": KEYS["write"], "region": "eu"})
    assert KEYS["write"] not in f"{account!r} {account} {Segment(account)!r}"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_command_shows_no_key(
    options: list[str], scripted: Scripted, secretive: Environ, kosmo: Callable[..., Any]
) -> None:
    """Ours: neither stream has it, in either form of the output."""
    scripted.answer = ECHOES["key in a message"]
    done = kosmo("integrations:lua", "--eval", WHOAMI, *options, env=secretive)
    assert done.status == 69
    assert "no key ******** or ********" in done.stdout + done.stderr
    assert [key for key in KEYS.values() if key in done.stdout + done.stderr] == []
