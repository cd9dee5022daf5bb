"""Progress: a run that takes its time says how far it is, on the terminal and to a program."""

import fcntl
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import IO

import pytest
from conftest import poll
from pseudo_terminal import ERASE, Terminal, screen
from test_startup import TELL

from kosmo_lua import Kosmo, Progress
from kosmo_lua.emulator import Emulator
from kosmo_lua.isolation import Isolation
from kosmo_lua.progress import Waiting

pytestmark = pytest.mark.usefixtures("retries")

TRACK = 'app.integrations.segment.track_event({event = "E", userId = "u"})'
ME = "app.integrations.segment.get_current_user()"
FULL = 60_000
"""Almost the bytes that a pipe takes without a reader, on Linux."""
QUESTION = "Allow it? [y/N/a], a: always for this run: "


def waiting_in(pipe: IO[bytes]) -> int:
    """Return how many bytes nobody has read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), "little")


class TestOnTheTerminal:
    """A line on stderr."""

    def test_wait_for_a_rate_limit_says_of_what_and_how_long(
        self, terminal: Terminal, kosmo_emulator: Emulator
    ) -> None:
        """The card: whose limit it is, and the seconds that are left."""
        kosmo_emulator.fault(retry_after=3)
        process = terminal.run("--force", "--eval", TRACK)
        terminal.wait_for(f"\r{ERASE}0 calls, 0.0/s | 1 in flight | ")
        terminal.wait_for("rate limit: segment.track_event in 1 s")
        assert screen(terminal.read_all(process)) == [""]
        assert process.wait() == 0

    def test_call_that_is_tried_again_is_told(
        self, terminal: Terminal, kosmo_emulator: Emulator
    ) -> None:
        """The card: a retry is not a rate limit."""
        kosmo_emulator.fault(status=503, retry_after=3)
        process = terminal.run("--eval", ME)
        terminal.wait_for("retrying: segment.get_current_user in 1 s")
        assert screen(terminal.read_all(process)) == [""]

    def test_batch_fill_is_shown(self, terminal: Terminal, kosmo_emulator: Emulator) -> None:
        """The card: the events that were taken, and those that were accepted."""
        kosmo_emulator.fault(delay=2)
        code = f"return batch(function() for i = 1, 30 do {TRACK} end end, {{size = 10}}).accepted"
        process = terminal.run("--force", "--eval", code)
        terminal.wait_for("20 of 30 events accepted")
        assert screen(terminal.read_all(process)) == [""]
        assert process.communicate()[0] == b"30\n"

    def test_one_call_shows_it_too(self, terminal: Terminal, kosmo_emulator: Emulator) -> None:
        """The card: where it makes sense, on integrations:call."""
        kosmo_emulator.fault(retry_after=2)
        call = ("segment.track", "--event=E", "--user-id=u", "--force")
        process = terminal.run(*call, command="integrations:call")
        terminal.wait_for("rate limit: segment.track_event in 1 s")
        assert screen(terminal.read_all(process)) == [""]
        assert b'"success": true' in process.communicate()[0]
        kosmo_emulator.fault(retry_after=1.5)
        silent = terminal.run(*call, "--quiet", command="integrations:call")
        assert terminal.read_all(silent) == ""

    def test_text_of_the_script_is_never_mixed_into_it(
        self, terminal: Terminal, kosmo_emulator: Emulator
    ) -> None:
        """The card: where stdout is the terminal, too, only the script's lines stay there."""
        kosmo_emulator.fault(delay=0.3, times=6)
        code = f"for i = 1, 6 do {ME} print('line ' .. i) end return 'the end'"
        process = terminal.run("--eval", code, stdout=terminal.descriptor)
        shown = terminal.read_all(process)
        assert " calls, " in shown
        lines = [*(f"line {number}" for number in range(1, 7)), "the end", ""]
        assert screen(shown) == lines

    def test_question_has_the_terminal_for_itself(
        self, terminal: Terminal, kosmo_emulator: Emulator
    ) -> None:
        """The card: who is asked reads the question, and nothing else moves."""
        kosmo_emulator.fault(delay=2)
        process = terminal.run("--eval", f"{ME} {TRACK} {ME}")
        before = terminal.wait_for(QUESTION)
        assert " calls, " in before
        assert screen(before)[:-2] == [
            "segment.track_event of the account default wants to write:"
        ]
        assert terminal.is_still(0.5)
        kosmo_emulator.fault(delay=1)
        terminal.type("y\n")
        assert screen(QUESTION + terminal.read_all(process)) == [f"{QUESTION}y", ""]
        assert process.wait() == 0

    @pytest.mark.usefixtures("kosmo_emulator")
    def test_question_waits_for_what_was_printed_before_it(self, terminal: Terminal) -> None:
        """Ours: who is asked sees how far the script is, also where that is read slowly."""
        lines = 14_000  # a little more than the pipe takes
        code = f'{TRACK} for n = 1, {lines} do print("line") end {TRACK}'
        process = terminal.run("--eval", code)
        stdout, read = process.stdout, list[bytes]()
        assert stdout
        terminal.wait_for(QUESTION)
        terminal.type("y\n")
        terminal.wait_for("y\r\n")
        poll(lambda: waiting_in(stdout) > FULL)
        assert terminal.is_still(0.2)  # a fifth of its patience, also on a busy machine
        reader = threading.Thread(target=lambda: read.append(stdout.read()))
        reader.start()
        terminal.wait_for(QUESTION)
        terminal.type("y\n")
        assert process.wait() == 0
        reader.join()
        assert read == [b"line\n" * lines]

    def test_ctrl_c_leaves_only_what_it_says(
        self, terminal: Terminal, kosmo_emulator: Emulator
    ) -> None:
        """The card: the line is gone when the run ends, however it ends."""
        kosmo_emulator.fault(delay=60)
        process = terminal.run("--eval", ME)
        terminal.wait_for(f"\r{ERASE}0 calls, 0.0/s | 1 in flight")
        terminal.type("\x03")
        assert screen(terminal.read_all(process)) == ["error: stopped by Ctrl-C", ""]
        assert process.wait() == 130

    def test_it_is_cut_to_the_width(self, terminal: Terminal, kosmo_emulator: Emulator) -> None:
        """The card: a line that wraps could not be rewritten."""
        terminal.resize(columns=20)
        kosmo_emulator.fault(delay=2)
        shown = terminal.read_all(terminal.run("--eval", ME))
        drawn = {line for line in shown.split(f"\r{ERASE}") if line}
        assert "0 calls, 0.0/s | 1 " in drawn
        assert max(map(len, drawn)) == 19

    @pytest.mark.parametrize(
        "arguments", [["--quiet"], ["--json"], ["--output", "json"], ["--output", "jsonl"]]
    )
    def test_it_is_silent_when_asked(
        self, terminal: Terminal, kosmo_emulator: Emulator, arguments: list[str]
    ) -> None:
        """The card: stderr stays empty."""
        kosmo_emulator.fault(delay=1.5)
        assert terminal.read_all(terminal.run(*arguments, "--eval", ME)) == ""

    def test_terminal_that_cannot_rewrite_a_line_gets_none(
        self, terminal: Terminal, kosmo_emulator: Emulator
    ) -> None:
        """Ours: an editor's shell would show the codes."""
        kosmo_emulator.fault(delay=1.5)
        process = terminal.run("--eval", ME, env={"TERM": "dumb"})
        assert terminal.read_all(process) == ""

    def test_no_terminal_no_progress(
        self, start: Callable[..., subprocess.Popen[bytes]], kosmo_emulator: Emulator
    ) -> None:
        """The card: a log of continuous integration has the script's lines only."""
        kosmo_emulator.fault(delay=1.5)
        process = start("integrations:lua", "--eval", f"{ME} print('done')")
        assert process.communicate() == (b"done\n", b"")

    def test_script_without_calls_shows_nothing(self, terminal: Terminal) -> None:
        """Ours: there is nothing to tell of it."""
        code = "local start = os.clock() while os.clock() < start + 1.5 do end"
        assert terminal.read_all(terminal.run("--eval", code)) == ""

    def test_paused_terminal_does_not_pause_the_limits(
        self, terminal: Terminal, kosmo_emulator: Emulator, tmp_path: Path
    ) -> None:
        """Ours: Ctrl-S stops the line, and nobody who watches the script."""
        kosmo_emulator.fault(delay=60)
        terminal.pause()
        trace = tmp_path / "trace.jsonl"
        process = terminal.run("--timeout=4", f"--trace={trace}", "--eval", ME)
        poll(lambda: trace.exists() and "interrupted" in trace.read_text())
        terminal.go_on()
        assert "time limit of 4 s exceeded" in terminal.read_all(process)
        assert process.wait() == 124

    def test_short_run_loads_and_starts_nothing_for_it(
        self, terminal: Terminal, start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
    ) -> None:
        """The card: start-up does not pay."""
        arguments = ("integrations:lua", "--eval", "return 1")
        process = start(
            *arguments, program=[sys.executable, "-c", TELL], stderr=terminal.descriptor
        )
        assert process.communicate()[0] == b"1\n"
        loaded = [set(file.read_text().split()) for file in tmp_path.glob("modules-*")]
        later = {"kosmo_lua.cli.progress", "kosmo_lua.progress", "kosmo_lua.run_events", "queue"}
        assert [modules & later for modules in loaded] == [set(), set()]


class TestInAProgram:
    """`Kosmo.run(on_progress=...)`."""

    @pytest.mark.parametrize("isolation", ["thread", "process"])
    def test_facts_are_those_of_the_run(
        self, kosmo_emulator: Emulator, isolation: Isolation
    ) -> None:
        """Ours: calls, waits and events, ten times a second from the second second on."""
        kosmo_emulator.fault(retry_after=3, path="/v1/track")
        code = f"""
            for i = 1, 3 do {ME} end
            {TRACK}
            return batch(function() for i = 1, 5 do {TRACK} end end).accepted
        """
        told: list[Progress] = []
        with Kosmo(isolation=isolation, force=True) as kosmo:
            result = kosmo.run(code, on_progress=told.append)
        assert result.result == 5
        assert told[0].seconds >= 1.0
        assert all(later.seconds - one.seconds >= 0.09 for one, later in pairwise(told))
        waits = [progress for progress in told if progress.limited]
        left = [progress.limited[0].seconds for progress in waits]
        assert 3 > left[0] > left[-1] > 0
        assert [each[1:2] + each[3:-1] for each in waits] == [
            (3, 1, (Waiting("segment.track_event", seconds),), (), 0, 0) for seconds in left
        ]

    def test_one_call_tells_it_too(self, kosmo_emulator: Emulator) -> None:
        """Ours: `attempt` may wait for a service as long as a script."""
        kosmo_emulator.fault(retry_after=2)
        told: list[Progress] = []
        with Kosmo() as kosmo:
            result = kosmo.attempt(
                "segment.track", {"event": "E", "userId": "u"}, on_progress=told.append
            )
        assert result.success
        waits = [limited for progress in told for limited in progress.limited]
        assert {limited.function for limited in waits} == {"segment.track_event"}
        assert 0 < waits[-1].seconds < waits[0].seconds < 2

    def test_who_listens_can_end_the_run(self, kosmo_emulator: Emulator) -> None:
        """Ours: what a listener raises reaches the caller, as with on_output."""
        kosmo_emulator.fault(delay=60)

        def refuse(progress: Progress) -> None:
            message = f"enough after {progress.in_flight} call"
            raise LookupError(message)

        with (
            Kosmo(isolation="process") as kosmo,
            pytest.raises(LookupError, match="enough after 1 call"),
        ):
            kosmo.run(ME, on_progress=refuse)
