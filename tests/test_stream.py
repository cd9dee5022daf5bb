"""`--output jsonl`: a line for each thing as it happens, and `Kosmo.run(on_event=...)`."""

import json
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Finished, poll, stable
from envelopes import assert_fits, assert_line_fits

from kosmo_lua import Kosmo as Embedded
from kosmo_lua import RunEvent
from kosmo_lua.emulator import Emulator
from kosmo_lua.isolation import Isolation

pytestmark = pytest.mark.usefixtures("retries")

Kosmo = Callable[..., Finished]
Start = Callable[..., subprocess.Popen[bytes]]

TRACK = 'app.integrations.segment.track_event({event = "E", userId = "u"})'
ME = "app.integrations.segment.get_current_user()"

CALL = {
    "function": "segment.track_event",
    "account": "default",
    "access": "write",
    "effect": "sent",
    "status": 200,
    "attempts": 1,
    "duration_ms": 1.0,
    "error": None,
    "retries": [],
    "events": None,
}


def read(stdout: str) -> list[Any]:
    """Parse a stream; each line must be as published, and the last one is an envelope."""
    lines = [json.loads(line) for line in stdout.splitlines()]
    for line in lines:
        assert_line_fits("stream", line)
    assert [line["type"] for line in lines].index("result") == len(lines) - 1
    assert_fits("lua", {name: value for name, value in lines[-1].items() if name != "type"})
    return lines


def timeless(lines: list[Any]) -> list[Any]:
    """Replace in the lines what differs from run to run."""
    volatile = {"started_ms": 1.0, "wait_ms": 1.0, "waited_ms": 1.0}

    def still(value: Any) -> Any:
        if isinstance(value, list):
            return [still(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {name: volatile.get(name, still(each)) for name, each in value.items()}

    return [still(stable(line)) for line in lines]


def test_stream_tells_the_run_from_start_to_result(kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
    """The card: start, call, print, warning, result, in their order; and waits."""
    kosmo_emulator.fault(retry_after=0.1)
    code = f"""
        print('a', 1) {TRACK}
        pcall(app.integrations.segment.track_event, {{event = "E"}})
        print('b\\n\\27[2J') return {{1}}
    """
    done = kosmo("integrations:lua", "--output", "jsonl", "--eval", code)
    assert (done.status, done.stderr) == (0, "")
    *lines, refused, printed, result = timeless(read(done.stdout))
    number = {"number": 1, "started_ms": 1.0}
    wait = {"reason": "rate", "waited_ms": 1.0, "status": 429, "started_ms": 1.0}
    names = {"function": "segment.track_event", "account": "default"}
    again = {"reason": "rate", "started_ms": 1.0, "wait_ms": 1.0, "status": 429}
    assert lines == [
        {"type": "start", "run_id": "RUN"},
        {"type": "print", "text": "a\t1"},
        {"type": "wait", **number, **names, **again},
        {"type": "call", **number, **CALL, "attempts": 2, "retries": [wait]},
    ]
    assert (refused["number"], refused["effect"]) == (2, "none")
    assert refused["error"]["code"] == "invalid_arguments"
    assert printed == {"type": "print", "text": "b\n\x1b[2J"}
    assert (result["output"], result["result"]) == ("a\t1\nb\n\x1b[2J", [1])


def test_lines_come_as_things_happen(start: Start, kosmo_emulator: Emulator) -> None:
    """The card: each line is flushed; a call that the end cuts off is told before the result."""
    kosmo_emulator.fault(delay=60)
    code = f"print('before') {TRACK}"
    process = start("integrations:lua", "--output=jsonl", "--eval", code)
    assert process.stdout is not None
    early = [json.loads(process.stdout.readline())["type"] for _ in range(2)]
    assert early == ["start", "print"]
    poll(kosmo_emulator.events)
    process.send_signal(signal.SIGINT)
    call, result = (json.loads(line) for line in process.communicate(timeout=20)[0].splitlines())
    assert (call["type"], call["effect"], call["attempts"]) == ("call", "unknown", 1)
    assert (result["type"], result["error_info"]["code"]) == ("result", "interrupted")
    assert {name: call[name] for name in CALL} == result["call_log"][0]
    assert process.returncode == 130


@pytest.mark.usefixtures("kosmo_emulator")
def test_warning_is_a_line_of_its_own(kosmo: Kosmo) -> None:
    """The card: as soon as it is known; the envelope has it, too."""
    code = "app.integrations.posthog.list_events({limit = 5})"
    lines = read(kosmo("integrations:lua", "--output=jsonl", "--eval", code).stdout)
    warnings = [line["message"] for line in lines if line["type"] == "warning"]
    assert warnings == lines[-1]["warnings"] != []


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["--eval", "return 1", "--no-such-option"], 2, "usage"),
        (["no-such-file.lua"], 2, "usage"),
        (["--eval", ""], 2, "usage"),
        (["--eval", "return 1", "--json"], 2, "usage"),
        (["--repl"], 2, "usage"),
        (["--eval", "return 1", "--trace", "no/such/folder"], 2, "usage"),
    ],
)
def test_error_of_the_command_line_is_the_result(
    kosmo: Kosmo, arguments: list[str], status: int, code: str
) -> None:
    """The card: who reads the stream always gets a result."""
    done = kosmo("integrations:lua", "--output", "jsonl", *arguments)
    (line,) = read(done.stdout)
    assert (done.status, done.stderr) == (status, "")
    assert line["error_info"]["code"] == code


@pytest.mark.parametrize(
    ("code", "options", "kind"),
    [
        ("x = ", [], "syntax"),
        ("error('no')", [], "runtime"),
        ("while true do end", ["--timeout=0.3"], "wall_limit"),
        ("print(('x'):rep(99))", ["--output-limit=9"], "output_limit"),
    ],
)
def test_failed_run_has_a_result(kosmo: Kosmo, code: str, options: list[str], kind: str) -> None:
    """Ours: with the exit status that it has in every form."""
    done = kosmo("integrations:lua", "--output=jsonl", *options, "--eval", code)
    lines = read(done.stdout)
    assert [line["type"] for line in lines] == ["start", "result"]
    assert lines[-1]["error_info"]["type"] == kind
    assert done.status == kosmo("integrations:lua", "--json", *options, "--eval", code).status


def test_reader_that_is_gone_ends_the_run(start: Start) -> None:
    """The card: as it is for text."""
    code = "while true do print('x') end"
    process = start("integrations:lua", "--output=jsonl", "--eval", code)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=20) == 141


@pytest.mark.parametrize("arguments", [["--output", "json"], ["--json", "--output=json"]])
def test_output_json_is_the_envelope(kosmo: Kosmo, arguments: list[str]) -> None:
    """The card: the same as --json, also for an error of the command line."""
    same = ["integrations:lua", "--eval", "print(1) return 2"]
    document = kosmo(*same, *arguments).json()
    assert stable(document) == stable(kosmo(*same, "--json").json())
    assert_fits("lua", kosmo(*same, *arguments, "--no-such-option").json())


def test_output_text_is_the_default(kosmo: Kosmo) -> None:
    """The card: text is what there is without the option."""
    same = ["integrations:lua", "--eval", "print(1) return 2"]
    assert kosmo(*same, "--output", "text") == kosmo(*same) == Finished(0, "1\n2\n", "")


@pytest.mark.parametrize("style", ["text", "jsonl"])
def test_flags_that_conflict_are_refused(kosmo: Kosmo, style: str) -> None:
    """The card: nobody guesses which one is meant."""
    done = kosmo("integrations:lua", "--json", "--output", style, "--eval", "print(1)")
    assert done.status == 2
    document = done.json()
    assert document["error"] == f"--json and --output {style} contradict each other"


class TestInAProgram:
    """`Kosmo.run(on_event=...)`."""

    @pytest.mark.parametrize("isolation", ["thread", "process"])
    def test_events_are_values(self, kosmo_emulator: Emulator, isolation: Isolation) -> None:
        """Ours: typed, with the fields of the lines, in their order."""
        told: list[RunEvent] = []
        with Embedded(isolation=isolation) as kosmo:
            result = kosmo.run(f"print('a') {TRACK} print('b')", on_event=told.append)
        assert [event.type for event in told] == ["start", "print", "call", "print"]
        start, printed, call, _ = told
        assert start.type == "start"
        assert start.run_id == result.meta.run_id
        assert printed.type == "print"
        assert printed.text == "a"
        assert call.type == "call"
        assert call.number == 1
        assert call.effect == "sent"
        assert 0 < call.started_ms < call.started_ms + call.duration_ms
        assert kosmo_emulator.events()[0]["accepted"]

    @pytest.mark.parametrize("isolation", ["thread", "process"])
    @pytest.mark.parametrize("kind", ["start", "print", "call"])
    def test_who_listens_can_end_the_run(
        self, kosmo_emulator: Emulator, isolation: Isolation, kind: str
    ) -> None:
        """Ours: what a listener raises reaches the caller, whatever the script catches."""

        def refuse(event: RunEvent) -> None:
            if event.type == kind:
                raise LookupError(kind)

        code = f"pcall(print, 'x') pcall(function() {ME} end) for i = 1, 1e9 do end"
        with Embedded(isolation=isolation) as kosmo, pytest.raises(LookupError, match=kind):
            kosmo.run(code, on_event=refuse)
        assert len(kosmo_emulator.events()) == 0
