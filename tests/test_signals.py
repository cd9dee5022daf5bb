"""Signals: which end a command, wherever it is, and which are left alone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from conftest import COMMAND, INTERRUPTED, poll
from pseudo_terminal import WHERE_IS_THE_CURSOR, Terminal

from kosmo_lua.emulator import Emulator

Start = Callable[..., subprocess.Popen[bytes]]

EVERY = pytest.mark.parametrize("number", INTERRUPTED, ids=lambda number: number.name)

AT_IMPORT = """if True:
    import os, sys
    module, number = sys.argv.pop(1), int(sys.argv.pop(1))
    command = os.getpid()
    def signalled(event, arguments):
        if (event, *arguments[:1], os.getpid()) == ("import", module, command):
            os.kill(command, number)
    sys.addaudithook(signalled)
    from kosmo_lua.__main__ import main
    main()
"""
"""Runs the command, to which a signal is sent when it imports a module."""

CURRENT_USER = "app.integrations.segment.get_current_user()"

TRACK = 'app.integrations.segment.track({event = "E", userId = "u"})'

KINDS = [
    (["--help"], "kosmo_lua.cli.setting"),
    (["integrations:docs"], "kosmo_lua.reference"),
    (["integrations:list"], "kosmo_lua.reference"),
    (["integrations:test", "segment"], "kosmo_lua.checking"),
    (["integrations:call", "segment.get_current_user"], "kosmo_lua.direct"),
    (["integrations:lua", "--eval", CURRENT_USER], "kosmo_lua.cli.limits"),
    (["mcp:list"], "kosmo_lua.cli.plain"),
]
"""Commands, and a module that each imports when it begins."""

NAMES = [command[0] for command, _ in KINDS]


def ignoring(*names: str) -> list[str]:
    """Return a program that runs the command with signals ignored, as nohup does with SIGHUP."""
    return ["sh", "-c", f"trap '' {' '.join(names)}; exec \"$@\"", "sh", *COMMAND]


@pytest.mark.parametrize(("command", "module"), KINDS, ids=NAMES)
@EVERY
def test_signal_ends_each_command_with_its_own_status(
    start: Start,
    kosmo_emulator: Emulator,
    command: Sequence[str],
    module: str,
    number: signal.Signals,
) -> None:
    """Ours: in one line, also before its work has begun."""
    del kosmo_emulator  # its variables are set
    program = [sys.executable, "-c", AT_IMPORT, module, str(int(number))]
    running = start(*command, program=program)
    status, sentence = INTERRUPTED[number]
    assert running.communicate(timeout=20) == (b"", f"error: {sentence}\n".encode())
    assert running.returncode == status


@pytest.mark.parametrize(("command", "module"), KINDS[1:], ids=NAMES[1:])
def test_signal_at_the_start_is_an_envelope(
    start: Start, kosmo_emulator: Emulator, command: Sequence[str], module: str
) -> None:
    """Ours: stdout has one document for every outcome."""
    del kosmo_emulator
    program = [sys.executable, "-c", AT_IMPORT, module, str(int(signal.SIGTERM))]
    running = start(*command[:2], "--json", *command[2:], program=program)
    stdout, stderr = running.communicate(timeout=20)
    document = json.loads(stdout)
    assert (running.returncode, stderr) == (143, b"")
    assert document["error"] == "stopped by SIGTERM"
    assert document["error_info"]["details"] == {"signal": "SIGTERM"}


@EVERY
def test_signal_ends_a_check_that_waits(
    start: Start, kosmo_emulator: Emulator, number: signal.Signals
) -> None:
    """Ours: the same while a service does not answer."""
    kosmo_emulator.fault(delay=60)
    running = start("integrations:test", "segment")
    poll(lambda: kosmo_emulator.stats().requests)
    running.send_signal(number)
    status, sentence = INTERRUPTED[number]
    assert running.communicate(timeout=20) == (b"", f"error: {sentence}\n".encode())
    assert running.returncode == status


@EVERY
def test_signal_ends_a_command_that_asks(terminal: Terminal, number: signal.Signals) -> None:
    """Ours: the prompts of click know Ctrl-C only."""
    running = terminal.run("segment", command="accounts:add")
    terminal.wait_for("write_key: ")
    running.send_signal(number)
    status, sentence = INTERRUPTED[number]
    terminal.wait_for(f"error: {sentence}\r\n")
    assert running.wait(20) == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
class TestRepl:
    """Ctrl-C ends a line; other signals end the REPL."""

    def test_signal_at_the_prompt_ends_the_repl(
        self, terminal: Terminal, number: signal.Signals
    ) -> None:
        """Ours: who sends it wants the process to end."""
        running = terminal.run("--repl", stdout=terminal.descriptor)
        terminal.wait_for(WHERE_IS_THE_CURSOR.decode())
        running.send_signal(number)
        status, sentence = INTERRUPTED[number]
        terminal.wait_for(f"error: {sentence}\r\n")
        assert running.wait(20) == status

    def test_signal_in_a_completion_ends_the_repl(
        self, terminal: Terminal, kosmo_emulator: Emulator, number: signal.Signals
    ) -> None:
        """Ours: wherever it is, also in what nobody has typed."""
        running = terminal.run("--repl", stdout=terminal.descriptor)
        terminal.wait_for(WHERE_IS_THE_CURSOR.decode())
        loop = f"function() {CURRENT_USER} while true do end end"
        terminal.type(f"t = setmetatable({{}}, {{__pairs = {loop}}}) print('made')\r")
        terminal.wait_for("made\r\n")
        terminal.type("t.\t")
        poll(lambda: kosmo_emulator.stats().requests)
        running.send_signal(number)
        status, sentence = INTERRUPTED[number]
        terminal.wait_for(f"error: {sentence}\r\n")
        assert running.wait(20) == status

    def test_signal_in_a_line_ends_the_repl(self, start: Start, number: signal.Signals) -> None:
        """Ours: the lines after it are not run."""
        running = start("integrations:lua", "--repl", stdin=subprocess.PIPE)
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(b"print('runs') while true do end\nprint('next')\n")
        running.stdin.close()
        assert running.stdout.readline() == b"runs\n"
        running.send_signal(number)
        status, sentence = INTERRUPTED[number]
        assert running.wait(20) == status
        assert running.stderr is not None
        assert running.stderr.read() == f"error: {sentence}\n".encode()
        assert running.stdout.read() == b""


def test_terminal_that_is_closed_ends_a_run_and_its_trace_is_whole(
    start: Start, kosmo_emulator: Emulator, tmp_path: Path
) -> None:
    """Ours: nobody reads what is said, and the status is still that of the signal."""
    kosmo_emulator.fault(delay=60)
    master, other = os.openpty()
    running = start(
        *("integrations:lua", "--trace", "trace.jsonl", "--eval", CURRENT_USER),
        stdin=other,
        stdout=other,
        stderr=other,
    )
    os.close(other)
    poll(lambda: kosmo_emulator.stats().requests)
    os.close(master)
    running.send_signal(signal.SIGHUP)
    assert running.wait(20) == 129
    (line,) = (tmp_path / "trace.jsonl").read_text().splitlines()
    call = json.loads(line)
    assert (call["function"], call["error"]) == ("segment.get_current_user", "interrupted")


class TestIgnored:
    """A signal that whoever starts kosmo has it ignore stays ignored."""

    @EVERY
    def test_ignored_signal_does_not_end_a_run(
        self, start: Start, kosmo_emulator: Emulator, number: signal.Signals
    ) -> None:
        """Ours: so nohup works. The run ends when the service fails, and not before."""
        code = f"while true do {CURRENT_USER} end"
        program = ignoring(number.name[3:])
        running = start("integrations:lua", "--json", "--eval", code, program=program)
        poll(lambda: kosmo_emulator.stats().requests)
        os.killpg(running.pid, number)
        kosmo_emulator.fault(status=503)
        stdout, _ = running.communicate(timeout=20)
        assert (running.returncode, json.loads(stdout)["error_info"]["code"]) == (
            69,
            "service_error",
        )

    @pytest.mark.parametrize(("command", "module"), KINDS, ids=NAMES)
    def test_ignored_signal_does_not_end_a_command(
        self, start: Start, kosmo_emulator: Emulator, command: Sequence[str], module: str
    ) -> None:
        """Ours: the same for all others."""
        del kosmo_emulator
        program = ignoring("TERM")[: -len(COMMAND)]
        at_import = [sys.executable, "-c", AT_IMPORT, module, str(int(signal.SIGTERM))]
        running = start(*command, program=[*program, *at_import])
        _, stderr = running.communicate(timeout=20)
        assert (running.returncode, stderr) == (0, b"")

    def test_ignored_signal_is_no_answer(
        self, start: Start, terminal: Terminal, kosmo_emulator: Emulator
    ) -> None:
        """Ours: nor does it end the run while somebody is asked."""
        running = start(
            *("integrations:lua", "--eval", TRACK),
            program=ignoring("TERM"),
            stdin=terminal.descriptor,
            stderr=terminal.descriptor,
            env={"KOSMO_SEGMENT_WRITE": "ask"},
        )
        terminal.wait_for("always for this run: ")
        running.send_signal(signal.SIGTERM)
        terminal.type("y\n")
        assert running.wait(20) == 0
        assert len(kosmo_emulator.events()) == 1

    def test_ignored_signal_does_not_end_the_emulator(self, start: Start) -> None:
        """Ours: another one does."""
        running = start("emulator", "--port", "0", program=ignoring("HUP"))
        assert running.stdout is not None
        assert running.stdout.readline().startswith(b"# The emulator listens on")
        running.send_signal(signal.SIGHUP)
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 143


RUN = """if True:
    import asyncio, os, signal
    from kosmo_lua import Kosmo
    heard = []
    def tell(text):
        os.kill(os.getpid(), getattr(signal, text))
    code = 'print("SIGHUP") print("SIGUSR1") local n = 0 while n < 5e7 do n = n + 1 end return "whole"'
    def run():
        return Kosmo(environ={}, isolation="fork").run(code, on_output=tell).result
"""
"""A program that has a use of its own for two signals, which it gets while a script runs."""

WITH_HANDLERS = """
    for number in (signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, lambda number, _: heard.append(signal.Signals(number).name))
    print(run(), heard)
"""

IN_A_LOOP = """
    async def main():
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1):
            asyncio.get_running_loop().add_signal_handler(number, heard.append, number.name)
        result = run()
        while len(heard) < 2:
            await asyncio.sleep(0)
        print(result, heard)
    asyncio.run(main())
"""


@pytest.mark.parametrize("use", [WITH_HANDLERS, IN_A_LOOP], ids=["handlers", "loop"])
def test_signal_with_another_use_in_a_program_does_not_end_its_script(
    start: Start, use: str
) -> None:
    """Ours: a daemon reads its configuration again at SIGHUP."""
    running = start(program=[sys.executable, "-c", f"{RUN}{use}"])
    stdout, stderr = running.communicate(timeout=20)
    assert (stdout, stderr) == (b"whole ['SIGHUP', 'SIGUSR1']\n", b"")
