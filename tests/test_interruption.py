"""Runs that end before their script does: signals, crashes, and answers at the permission prompt."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from conftest import INTERRUPTED, TELLING_FORKS, poll, stable
from pseudo_terminal import Terminal

from kosmo_lua.emulator import Emulator

Start = Callable[..., subprocess.Popen[bytes]]

TRACK = 'app.integrations.segment.track({event = "E", userId = "u"})'
BEGIN = f'print("before") {TRACK} '
"""What a script does first, so that the emulator shows that it runs."""

LOOPS = {
    "loop": "while true do end",
    "pcall": "while true do pcall(function() while true do end end) end",
    "coroutine": "coroutine.wrap(function() while true do end end)()",
    "C function": 'return (("a"):rep(300)):find(".-.-.-.-b")',
}


def outcome(process: subprocess.Popen[bytes]) -> Any:
    """Wait for the end of a command, and return its status and its document."""
    stdout, stderr = process.communicate(timeout=20)
    assert stderr == b""
    return process.returncode, json.loads(stdout)


@pytest.mark.parametrize(
    ("loop", "number", "to_group"),
    [
        ("loop", signal.SIGINT, False),
        ("loop", signal.SIGTERM, True),
        ("loop", signal.SIGHUP, True),
        ("pcall", signal.SIGINT, True),
        ("pcall", signal.SIGTERM, False),
        ("coroutine", signal.SIGINT, True),
        ("C function", signal.SIGINT, True),
    ],
)
def test_signal_ends_a_script_whatever_it_does(
    start: Start, kosmo_emulator: Emulator, loop: str, number: signal.Signals, *, to_group: bool
) -> None:
    """The card: Ctrl-C in a Lua loop; the envelope has what was printed and called before."""
    process = start("integrations:lua", "--json", "--eval", BEGIN + LOOPS[loop])
    poll(kosmo_emulator.events)
    (os.killpg if to_group else os.kill)(process.pid, number)
    status, document = outcome(process)
    expected, sentence = INTERRUPTED[number]
    assert (status, document["success"], document["error"]) == (expected, False, sentence)
    assert document["output"] == "before"
    assert document["error_info"]["code"] == document["error_info"]["type"] == "interrupted"
    assert document["error_info"]["details"] == {"signal": number.name}
    calls = [(call["function"], call["effect"]) for call in document["call_log"]]
    assert calls in ([("segment.track_event", "sent")], [("segment.track_event", "unknown")])


def test_signal_during_a_call_leaves_its_effect_unknown(
    start: Start, kosmo_emulator: Emulator
) -> None:
    """Ours: nobody knows whether the write happened, and the log says exactly that."""
    kosmo_emulator.fault(delay=60)
    process = start("integrations:lua", "--json", "--eval", f"pcall(error) {TRACK}")
    poll(kosmo_emulator.events)
    process.send_signal(signal.SIGINT)
    status, document = outcome(process)
    assert status == 130
    assert stable(document["call_log"]) == [
        {
            "function": "segment.track_event",
            "account": "default",
            "access": "write",
            "effect": "unknown",
            "status": None,
            "attempts": 1,
            "duration_ms": 1.0,
            "error": {
                "code": "interrupted",
                "message": "the run ended before the call returned",
            },
            "retries": [],
            "events": None,
        }
    ]
    assert document["meta"]["calls"] == {
        "total": 1,
        "reads": 0,
        "writes": 1,
        "failed": 1,
        "unknown": 1,
        "wrote": 1,
    }


@pytest.mark.parametrize("number", INTERRUPTED, ids=lambda number: number.name)
def test_signal_in_text_mode_is_one_line(start: Start, number: signal.Signals) -> None:
    """Ours: what was printed stays, and stderr says why it ended."""
    process = start("integrations:lua", "--eval", 'print("before") while true do end')
    assert process.stdout is not None
    assert process.stdout.readline() == b"before\n"
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=20)
    status, sentence = INTERRUPTED[number]
    assert (process.returncode, stdout, stderr.decode()) == (status, b"", f"error: {sentence}\n")


def test_signal_while_the_script_is_read_is_reported(start: Start) -> None:
    """Ours: Ctrl-C before there is a script is an interruption too."""
    program = """if True:
        import io, sys
        class Stdin(io.BytesIO):
            def read(self, *size):
                print("reads", file=sys.stderr, flush=True)
                while True: pass
        class Text(io.StringIO):
            buffer = Stdin()
        sys.stdin = Text()
        from kosmo_lua.__main__ import main
        main()
    """
    process = start("integrations:lua", "-", "--json", program=[sys.executable, "-c", program])
    assert process.stderr is not None
    assert process.stderr.readline() == b"reads\n"
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=20)
    assert (process.returncode, json.loads(stdout)["error_info"]["code"]) == (130, "interrupted")


class TestSupervisorGone:
    """The process of the script ends with the one that watches it."""

    @pytest.mark.parametrize(
        "work",
        [LOOPS["loop"], LOOPS["C function"], f"while true do pcall(function() {TRACK} end) end"],
    )
    def test_child_ends_when_its_supervisor_is_killed(
        self, start: Start, kosmo_emulator: Emulator, work: str
    ) -> None:
        """Ours: nobody would see what it still sends. Its stdout closes when the last process has ended."""
        process = start("integrations:lua", "--json", "--eval", BEGIN + work)
        poll(kosmo_emulator.events)
        process.kill()
        assert process.communicate(timeout=20) == (b"", b"")


@pytest.mark.parametrize(
    "number", [signal.SIGSEGV, signal.SIGKILL], ids=lambda number: number.name
)
def test_crash_of_the_script_is_an_envelope(
    start: Start, kosmo_emulator: Emulator, number: signal.Signals
) -> None:
    """Ours: what it had printed and called is there, and that the rest is unknown."""
    program = [sys.executable, "-c", TELLING_FORKS]
    process = start("integrations:lua", "--json", "--eval", BEGIN + LOOPS["loop"], program=program)
    poll(kosmo_emulator.events)
    assert process.stderr is not None
    os.kill(int(process.stderr.readline()), number)
    status, document = outcome(process)
    assert (status, document["output"]) == (70, "before")
    assert document["error"] == f"the process of the script ended by {number.name}"
    info = document["error_info"]
    assert (info["code"], info["type"], info["effect"]) == ("crash", "crash", "unknown")
    assert len(document["call_log"]) == 1


@pytest.mark.parametrize("number", INTERRUPTED, ids=lambda number: number.name)
def test_signal_to_the_script_alone_is_none(
    start: Start, kosmo_emulator: Emulator, number: signal.Signals
) -> None:
    """Ours: the supervisor gets what is meant for the group too, and decides what it means."""
    program = [sys.executable, "-c", TELLING_FORKS]
    code = f"{TRACK} while true do app.integrations.segment.get_current_user() end"
    process = start("integrations:lua", "--json", "--eval", code, program=program)
    poll(kosmo_emulator.events)
    assert process.stderr is not None
    os.kill(int(process.stderr.readline()), number)
    kosmo_emulator.fault(status=503, path="/")
    status, document = outcome(process)
    assert (status, document["error_info"]["code"]) == (3, "service_error")


QUESTION = "always for this run: "


class TestPrompt:
    """A write on a terminal asks first."""

    def test_yes_sends_it(self, terminal: Terminal, kosmo_emulator: Emulator) -> None:
        """The card: after a yes at the prompt the write goes out; the question says what it is."""
        process = terminal.run("--json", "--eval", f"print('before') return {TRACK}.success")
        asked = terminal.wait_for(QUESTION)
        assert "segment.track_event of the account default wants to write:" in asked
        assert '{"event": "E", "userId": "u"}' in asked
        assert kosmo_emulator.events() == []
        terminal.type("y\n")
        status, document = self.outcome(process)
        assert (status, document["result"], len(kosmo_emulator.events())) == (0, True, 1)
        assert document["meta"]["permission_bypassed"] is False

    @pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"], ids=["n", "Enter", "Ctrl-D"])
    def test_anything_but_yes_refuses_it(
        self, terminal: Terminal, kosmo_emulator: Emulator, answer: str
    ) -> None:
        """The card: otherwise approval_required, 77."""
        process = terminal.run("--json", "--eval", f"print('before') {TRACK}")
        terminal.wait_for(QUESTION)
        terminal.type(answer)
        status, document = self.outcome(process)
        assert (status, document["error_info"]["code"]) == (77, "approval_required")
        assert document["output"] == "before"
        assert kosmo_emulator.events() == []

    def test_each_write_is_asked_about(self, terminal: Terminal, kosmo_emulator: Emulator) -> None:
        """Ours: one question at a time, and a script may go on after a no."""
        process = terminal.run("--eval", f"{TRACK} return (pcall(function() {TRACK} end))")
        terminal.wait_for(QUESTION)
        terminal.type("y\n")
        terminal.wait_for(QUESTION)
        terminal.type("n\n")
        assert process.communicate(timeout=20)[0] == b"false\n"
        assert len(kosmo_emulator.events()) == 1

    def test_always_is_for_this_run(self, terminal: Terminal, kosmo_emulator: Emulator) -> None:
        """The card: yes, no, or always for this function and account."""
        process = terminal.run("--eval", f"{TRACK} {TRACK} return {TRACK}.success")
        terminal.wait_for(QUESTION)
        terminal.type("a\n")
        assert process.communicate(timeout=20)[0] == b"true\n"
        assert len(kosmo_emulator.events()) == 3

    @pytest.mark.parametrize("number", INTERRUPTED, ids=lambda number: number.name)
    def test_signal_at_the_prompt_ends_the_run(
        self, terminal: Terminal, kosmo_emulator: Emulator, number: signal.Signals
    ) -> None:
        """Ours: Ctrl-C is no answer, and what was printed before is in the envelope."""
        process = terminal.run("--json", "--eval", f"print('before') {TRACK}")
        terminal.wait_for(QUESTION)
        if number == signal.SIGINT:
            terminal.type("\x03")
        else:
            process.send_signal(number)
        status, document = self.outcome(process)
        assert (status, document["error"]) == INTERRUPTED[number]
        assert document["output"] == "before"
        assert kosmo_emulator.events() == []

    def test_ctrl_c_in_a_loop_is_the_signal(self, terminal: Terminal) -> None:
        """Ours: as somebody presses it, to all processes of the terminal."""
        process = terminal.run("--eval", "print('before') while true do end")
        assert process.stdout is not None
        assert process.stdout.readline() == b"before\n"
        terminal.type("\x03")
        terminal.wait_for("error: stopped by Ctrl-C")
        assert process.wait(timeout=20) == 130

    def test_no_terminal_is_no_yes(self, start: Start, kosmo_emulator: Emulator) -> None:
        """Ours: a yes in a pipe is part of the script or of nothing."""
        process = start(
            "integrations:lua",
            "--eval",
            TRACK,
            stdin=subprocess.PIPE,
            env={"KOSMO_SEGMENT_WRITE": "ask"},
        )
        process.communicate(b"y\n", timeout=20)
        assert process.returncode == 77
        assert kosmo_emulator.events() == []

    @staticmethod
    def outcome(process: subprocess.Popen[bytes]) -> Any:
        """Wait for the end of the command, and return its status and its document."""
        stdout, _ = process.communicate(timeout=20)
        return process.returncode, json.loads(stdout)
