"""`--trace FILE`: the call log with its times, whole, whatever becomes of the run."""

import json
import os
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Finished, poll
from envelopes import assert_line_fits

from kosmo_lua import Kosmo as Embedded
from kosmo_lua import Limits
from kosmo_lua.emulator import Emulator
from kosmo_lua.isolation import Isolation

pytestmark = pytest.mark.usefixtures("retries")

Kosmo = Callable[..., Finished]
Start = Callable[..., subprocess.Popen[bytes]]

TRACK = 'app.integrations.segment.track_event({event = "E", userId = "a-user"})'
ME = "app.integrations.segment.get_current_user()"
RUN = ("integrations:lua", "--trace", "trace.jsonl")


@pytest.fixture
def traced(tmp_path: Path) -> Callable[[], list[Any]]:
    """Read the trace of the run; each line must be as published."""

    def traced() -> list[Any]:
        text = (tmp_path / "trace.jsonl").read_text(encoding="utf-8")
        calls = [json.loads(line) for line in text.splitlines()]
        for call in calls:
            assert_line_fits("trace", call)
        return calls

    return traced


def test_each_call_is_a_line_with_its_times(
    kosmo: Kosmo, kosmo_emulator: Emulator, traced: Callable[[], list[Any]]
) -> None:
    """The card: when it began, how long it took, what it waited for and when, and what became of it."""
    kosmo_emulator.fault(retry_after=0.2)
    done = kosmo(*RUN, "--eval", f"{TRACK} pcall(error) {ME}")
    assert (done.status, done.stdout, done.stderr) == (0, "", "")
    first, second = traced()
    (wait,) = first.pop("waits")
    started, duration = first.pop("started_ms"), first.pop("duration_ms")
    assert first == {
        "number": 1,
        "function": "segment.track_event",
        "account": "default",
        "access": "write",
        "attempts": 2,
        "status": 200,
        "effect": "sent",
        "error": None,
        "events": None,
    }
    assert (wait["reason"], wait["status"]) == ("rate", 429)
    assert 0 < started < wait["started_ms"] < wait["started_ms"] + wait["waited_ms"]
    assert wait["waited_ms"] >= 200
    assert duration >= wait["waited_ms"]
    assert (second["function"], second["waits"]) == ("segment.get_current_user", [])
    assert second["started_ms"] >= started + wait["waited_ms"]


def test_trace_is_complete_where_the_envelope_is_not(
    kosmo: Kosmo, kosmo_emulator: Emulator, traced: Callable[[], list[Any]]
) -> None:
    """The card: the envelope keeps 1,000 calls."""
    calls = f"for i = 1, 1010 do pcall(app.integrations.segment.track_event, {{}}) end {TRACK}"
    document = kosmo(*RUN, "--json", "--eval", f"{calls} for i = 1, 30 do {ME} end").json()
    assert document["meta"]["calls"]["total"] == 1041
    assert [call["number"] for call in traced()] == [*range(1, 1042)]
    assert len(kosmo_emulator.events()) == 1


def test_neither_arguments_nor_secrets_are_in_it(
    kosmo: Kosmo, tmp_path: Path, kosmo_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card: an error is its code, because its words may quote an argument."""
    monkeypatch.setenv("KOSMO_SEGMENT_WRITE_KEY", "a-secret-key")
    kosmo_emulator.fault(status=400, body="no such a-user: a-secret-key")
    code = (
        f"pcall(function() {TRACK} end) app.integrations.segment.track_event({{evnt = 'a-user'}})"
    )
    assert kosmo(*RUN, "--eval", code).status == 65
    trace = (tmp_path / "trace.jsonl").read_text()
    assert '"error": "service_error"' in trace
    assert '"error": "invalid_arguments"' in trace
    assert "a-user" not in trace
    assert "a-secret" not in trace


def test_call_that_the_end_cuts_off_is_written_then(
    kosmo: Kosmo, kosmo_emulator: Emulator, traced: Callable[[], list[Any]]
) -> None:
    """The card: with what is known of its effect."""
    kosmo_emulator.fault(delay=60)
    assert kosmo(*RUN, "--timeout=4", "--eval", TRACK).status == 124
    (call,) = traced()
    assert (call["effect"], call["attempts"], call["error"]) == ("unknown", 1, "interrupted")


def test_kill_of_the_command_leaves_what_was_done(
    start: Start, kosmo_emulator: Emulator, traced: Callable[[], list[Any]], tmp_path: Path
) -> None:
    """The card: each line is written when its call ends."""
    process = start(*RUN, "--eval", f"{TRACK} while true do end")
    poll(lambda: (tmp_path / "trace.jsonl").exists() and traced())
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert [call["effect"] for call in traced()] == ["sent"]
    assert len(kosmo_emulator.events()) == 1


def test_only_the_user_can_read_it(kosmo: Kosmo, tmp_path: Path) -> None:
    """The card: mode 0600, also where the file was there, whose lines go."""
    path = tmp_path / "trace.jsonl"
    path.write_text("old\n")
    path.chmod(0o644)
    assert kosmo(*RUN, "--eval", "return 1").stdout == "1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == ""


@pytest.mark.parametrize("path", ["no-such-folder/trace.jsonl", ".", "pipe"])
def test_path_that_cannot_be_written_is_an_error_before_the_script_runs(
    kosmo: Kosmo, tmp_path: Path, path: str
) -> None:
    """The card: nothing has happened yet; a pipe that nobody reads is one, too."""
    os.mkfifo(tmp_path / "pipe")
    done = kosmo("integrations:lua", "--json", "--trace", path, "--eval", "print('ran')")
    document = done.json()
    assert (done.status, document["output"]) == (2, "")
    assert f"cannot write {path}: " in document["error"]
    assert document["error_info"]["code"] == "usage"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.usefixtures("kosmo_emulator")
def test_full_disk_is_a_warning(kosmo: Kosmo) -> None:
    """Ours: the run did its work; that its trace is not whole is said."""
    done = kosmo("integrations:lua", "--json", "--trace", "/dev/full", "--eval", f"{ME} {ME}")
    assert done.status == 0
    assert done.json()["warnings"] == ["the trace is not complete: No space left on device"]


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_what_waits_has_no_unknown_effect(kosmo_emulator: Emulator, isolation: Isolation) -> None:
    """The card: a call that only waited for a rate limit when the run ended has no effect, for sure.

    One that waits after an answer has sent, and nothing of it is unknown.
    """
    kosmo_emulator.fault(retry_after=30, delay=0.5, path="/v1/track")
    kosmo_emulator.fault(delay=1, path="/")
    code = f"parallel.all{{a = function() {TRACK} end, b = function() {ME} {TRACK} end}}"
    with Embedded(isolation=isolation, limits=Limits(wall=5)) as kosmo:
        result = kosmo.run(code)
    assert result.error_info is not None
    assert result.error_info.code == "wall_limit"
    cut = {call.attempts: call for call in result.call_log if call.error}
    assert {attempts: call.effect for attempts, call in cut.items()} == {0: "none", 1: "sent"}
    assert [wait.reason for call in cut.values() for wait in call.retries] == ["rate", "rate"]
    assert result.meta.calls.unknown == 0
