"""The command line: its commands, the ways to give it a script, and what goes to stdout and stderr."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest
from conftest import COMMAND, Finished, stable

from kosmo_lua import __version__
from kosmo_lua.cli.group import COMMANDS
from kosmo_lua.emulator import Emulator

Kosmo = Callable[..., Finished]
Start = Callable[..., subprocess.Popen[bytes]]

IDENTIFY = (
    'dump(app.integrations.segment.identify_user({userId = "user-42", traits = {plan = "pro"}}))'
)
TRACK = 'return app.integrations.segment.track({event = "E", userId = "u"}).success'


def test_envelope_of_a_script(kosmo: Kosmo) -> None:
    """The card: with --json stdout is one document, with every field."""
    done = kosmo("integrations:lua", "--json", "--eval", 'print("a", 1) dump({2}) return {b = 3}')
    assert (done.status, done.stderr) == (0, "")
    assert stable(done.json()) == {
        "schema_version": 1,
        "success": True,
        "output": "a\t1\n[\n  2\n]",
        "result": {"b": 3},
        "error": None,
        "error_info": None,
        "warnings": [],
        "execution_time_ms": 1.0,
        "memory_usage": 1,
        "call_log": [],
        "delivery": None,
        "plan": None,
        "meta": {
            "run_id": "RUN",
            "waited_ms": 0.0,
            "permission_bypassed": False,
            "dry_run": False,
            "calls": {
                "total": 0,
                "reads": 0,
                "writes": 0,
                "failed": 0,
                "unknown": 0,
                "wrote": 0,
            },
        },
    }


def test_envelope_of_a_call_on_the_emulator(kosmo: Kosmo) -> None:
    """The card: the first workflow needs no credentials, and the log shows what was sent."""
    done = kosmo("integrations:lua", "--emulator", "--eval", IDENTIFY, "--json")
    document = done.json()
    assert done.status == 0
    assert document["output"].startswith("{\n  message_id: ")
    assert document["output"].endswith(",\n  success: true\n}")
    assert stable(document["call_log"]) == [
        {
            "function": "segment.identify_user",
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
    ]
    assert document["delivery"] is None
    assert document["meta"]["calls"]["wrote"] == 1
    assert document["meta"]["permission_bypassed"] is False


def test_envelope_of_a_failure(kosmo: Kosmo) -> None:
    """Ours: an error has its sentence, its code, and its place."""
    done = kosmo("integrations:lua", "--json", "--eval", 'print("before")\nlocal x = nil + 1')
    document = done.json()
    assert (done.status, done.stderr) == (1, "")
    assert (document["success"], document["output"], document["result"]) == (
        False,
        "before",
        None,
    )
    assert document["error"] == "eval:2: attempt to perform arithmetic on a nil value"
    assert document["error_info"] == {
        "code": "script_error",
        "type": "runtime",
        "function": None,
        "status": None,
        "retryable": False,
        "effect": "none",
        "hint": None,
        "file": "eval",
        "line": 2,
        "traceback": "stack traceback:\n\teval:2: in main chunk",
        "details": None,
    }


class TestSources:
    """Where the script comes from."""

    @pytest.mark.parametrize(
        ("arguments", "stdin", "name"),
        [
            (["--eval", "return arg[0]"], b"", "eval"),
            (["-e", "return arg[0]"], b"print('not this')", "eval"),
            (["workflow.lua"], b"print('not this')", "workflow.lua"),
            (["./workflow.lua"], b"", "./workflow.lua"),
            (["-"], b"return arg[0]", "stdin"),
            ([], b"return arg[0]", "stdin"),
        ],
    )
    def test_script_is_code_a_file_or_stdin(
        self, kosmo: Kosmo, tmp_path: Path, arguments: list[str], stdin: bytes, name: str
    ) -> None:
        """The card: --eval, a file, `-`, and what is piped in."""
        (tmp_path / "workflow.lua").write_text("return arg[0]")
        done = kosmo("integrations:lua", *arguments, stdin=stdin)
        assert done == Finished(0, f"{name}\n", "")

    @pytest.mark.parametrize("head", [b"\xef\xbb\xbf", b"#!/usr/bin/env kosmo\n", b"# x\n"])
    @pytest.mark.parametrize("piped", [True, False])
    def test_byte_order_mark_and_first_line_of_unix_are_no_code(
        self, kosmo: Kosmo, tmp_path: Path, head: bytes, *, piped: bool
    ) -> None:
        """Lua: its own command takes such files too."""
        (tmp_path / "w.lua").write_bytes(head + b"return 'fine'")
        script = (tmp_path / "w.lua").read_bytes()
        done = (
            kosmo("integrations:lua", "-", stdin=script)
            if piped
            else kosmo("integrations:lua", "w.lua")
        )
        assert done == Finished(0, "fine\n", "")

    def test_lines_count_from_the_first_of_the_file(self, kosmo: Kosmo, tmp_path: Path) -> None:
        """Ours: the line `#!` is the first."""
        (tmp_path / "w.lua").write_text('#!/usr/bin/env kosmo\nerror("x")')
        assert kosmo("integrations:lua", "w.lua").stderr.startswith("error: w.lua:2: x\n")

    def test_file_name_may_be_anything(self, kosmo: Kosmo, tmp_path: Path) -> None:
        """Unix: a name is bytes."""
        name = os.fsdecode(b"\xff\xc3\xa9 x.lua")
        (tmp_path / name).write_text('error("x")')
        done = kosmo("integrations:lua", "--json", name)
        assert done.json()["error"] == "\\udcff\xe9 x.lua:1: x"

    def test_long_file_name_keeps_its_end(self, kosmo: Kosmo, tmp_path: Path) -> None:
        """Ours: Lua shows 59 bytes of a name; the file is in the last ones."""
        folder = tmp_path / ("f" * 80)
        folder.mkdir()
        (folder / "w.lua").write_text('error("x")')
        assert kosmo("integrations:lua", str(folder / "w.lua")).stderr.startswith(
            "error: w.lua:1: x"
        )


class TestArguments:
    """What follows `--` is the script's."""

    def test_arguments_are_the_table_arg(self, kosmo: Kosmo, tmp_path: Path) -> None:
        """The card: as with the command `lua`, `arg[0]` is the name of the script."""
        (tmp_path / "w.lua").write_text("return arg, #arg")
        done = kosmo(
            "integrations:lua", "w.lua", "--json", "--", "a b", "--json", "", "é", "--", "-x"
        )
        given = {"0": "w.lua", "1": "a b", "2": "--json", "3": "", "4": "é", "5": "--", "6": "-x"}
        assert done.json()["result"] == [given, 6]

    def test_json_after_the_dashes_is_the_scripts(self, kosmo: Kosmo) -> None:
        """Ours: no option of ours is looked for there, also not for the form of an error."""
        done = kosmo("integrations:lua", "--eval", "error(arg[1])", "--", "--json")
        assert (done.status, done.stdout) == (1, "")
        assert done.stderr.startswith("error: eval:1: --json\n")

    def test_without_arguments_it_has_the_name_only(self, kosmo: Kosmo) -> None:
        """Lua: `#arg` is 0."""
        assert kosmo("integrations:lua", "--eval", "return #arg, arg[0]").stdout == (
            '[\n  0,\n  "eval"\n]\n'
        )


class TestPermission:
    """Writes need a permission, from whoever may give it."""

    def test_hint_of_a_refused_write_is_the_command_that_sends_it(
        self, kosmo: Kosmo, kosmo_emulator: Emulator, tmp_path: Path
    ) -> None:
        """The card: approval_required, 77, with the exact command that would allow it."""
        (tmp_path / "my workflow.lua").write_text(TRACK)
        env = {"KOSMO_SEGMENT_WRITE": "ask"}
        done = kosmo("integrations:lua", "my workflow.lua", "--json", "--", "it's", env=env)
        document = done.json()
        assert done.status == 77
        assert document["error_info"]["code"] == "approval_required"
        assert document["call_log"][0]["effect"] == "none"
        assert kosmo_emulator.events() == []
        hint = document["error_info"]["hint"]
        command = hint.removeprefix("Allow it with ").partition(", or set ")[0]
        name, *arguments = shlex.split(command)
        assert name == "kosmo"
        allowed = kosmo(*arguments, env=env)
        assert (allowed.status, allowed.json()["result"]) == (0, True)
        assert len(kosmo_emulator.events()) == 1

    @pytest.mark.parametrize("policy", ["deny", "ask"])
    def test_force_lifts_the_policy(
        self, kosmo: Kosmo, kosmo_emulator: Emulator, policy: str
    ) -> None:
        """The card: --force lifts ask and deny, and the envelope says so."""
        env = {"KOSMO_SEGMENT_WRITE": policy}
        done = kosmo("integrations:lua", "--force", "--json", "--eval", TRACK, env=env)
        assert (done.status, len(kosmo_emulator.events())) == (0, 1)
        assert done.json()["meta"]["permission_bypassed"] is True

    def test_denied_write_is_not_sent(self, kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
        """The card: the policy deny."""
        env = {"KOSMO_SEGMENT_WRITE": "deny"}
        done = kosmo("integrations:lua", "--json", "--eval", TRACK, env=env)
        assert (done.status, done.json()["error_info"]["code"]) == (77, "denied")
        assert kosmo_emulator.events() == []

    def test_emulator_needs_no_permission(self, kosmo: Kosmo) -> None:
        """Ours: nothing real can happen there."""
        env = {"KOSMO_SEGMENT_WRITE": "deny"}
        done = kosmo("integrations:lua", "--emulator", "--eval", TRACK, env=env)
        assert done == Finished(0, "true\n", "")


class TestText:
    """Without --json: for people."""

    def test_output_and_errors_go_apart(self, kosmo: Kosmo, tmp_path: Path) -> None:
        """The card: output on stdout, the error on stderr with its line and a caret."""
        (tmp_path / "w.lua").write_text('print("out")\n\tlocal x = nil + 1\n')
        assert kosmo("integrations:lua", "w.lua") == Finished(
            1,
            "out\n",
            "error: w.lua:2: attempt to perform arithmetic on a nil value\n"
            '    1 | print("out")\n'
            "    2 |     local x = nil + 1\n"
            "      |     ^\n",
        )

    @pytest.mark.parametrize(
        ("line", "shown", "caret"),
        [
            ("nosuch.f()" + " " * 50_000 + "--", "nosuch.f()" + " " * 90 + "...", 0),
            (";" * 50_000 + "nosuch.f()", "..." + ";" * 90 + "nosuch.f()", 93),
            (
                ";" * 50_000 + "nosuch.f()" + ";" * 50_000,
                "..." + ";" * 50 + "nosuch.f()" + ";" * 40 + "...",
                53,
            ),
        ],
        ids=["begin", "end", "middle"],
    )
    def test_long_line_is_cut_around_its_caret(
        self, kosmo: Kosmo, tmp_path: Path, line: str, shown: str, caret: int
    ) -> None:
        """Ours: a line that a program has written fits the terminal; so do those beside it."""
        (tmp_path / "w.lua").write_text(f"{line}\n--{'-' * 50_000}\n")
        assert kosmo("integrations:lua", "w.lua") == Finished(
            1,
            "",
            "error: w.lua:1: attempt to index a nil value (global 'nosuch')\n"
            f"    1 | {shown}\n"
            f"      | {' ' * caret}^\n"
            f"    2 | {'-' * 100}...\n",
        )

    @pytest.mark.parametrize(
        ("text", "columns"), [("ä", 1), ("e\u0301", 1), ("字", 2), ("😀", 2)], ids=ascii
    )
    def test_caret_is_below_what_it_means(self, kosmo: Kosmo, text: str, columns: int) -> None:
        """Ours: a terminal shows some characters in two columns, and some in none."""
        done = kosmo("integrations:lua", "--eval", f'local s = "{text}" nosuch.f()')
        caret = " " * (len('local s = "" ') + columns)
        assert done.stderr.splitlines()[1:] == [
            f'    1 | local s = "{text}" nosuch.f()',
            f"      | {caret}^",
        ]

    def test_hint_follows_the_error(self, kosmo: Kosmo) -> None:
        """Ours: what to do next is on a line of its own."""
        done = kosmo("integrations:lua", "--eval", "app.integrations.segment.trak{}")
        assert (done.status, done.stdout) == (65, "")
        assert done.stderr == (
            "error: eval:1: unknown function app.integrations.segment.trak. "
            "Did you mean: track, track_event?\n"
            "    1 | app.integrations.segment.trak{}\n"
            "      | ^\n"
            'hint: print(docs.read("segment")) lists its functions.\n'
        )

    @pytest.mark.parametrize(
        ("code", "shown"),
        [
            ("return 'text'", "text\n"),
            ("return 42", "42\n"),
            ("return true", "true\n"),
            ("return {a = {1, 'é'}}", '{\n  "a": [\n    1,\n    "é"\n  ]\n}\n'),
            ("return nil", ""),
            ("local x = 1", ""),
            ("print('a') return 'b'", "a\nb\n"),
        ],
    )
    def test_result_is_printed(self, kosmo: Kosmo, code: str, shown: str) -> None:
        """Ours: a text as it is, anything else as JSON, nothing for nothing."""
        assert kosmo("integrations:lua", "--eval", code) == Finished(0, shown, "")

    def test_warnings_go_to_stderr(self, kosmo: Kosmo) -> None:
        """Ours: a result that JSON cannot hold is said to be so."""
        done = kosmo("integrations:lua", "--eval", "return {f = print}")
        assert (done.status, done.stdout) == (0, '{\n  "f": "function"\n}\n')
        assert done.stderr.startswith("warning: ")

    def test_output_comes_while_the_script_runs(self, start: Start) -> None:
        """The card: output as it comes."""
        running = start("integrations:lua", "--eval", 'print("first") while true do end')
        assert running.stdout is not None
        assert running.stdout.readline() == b"first\n"
        assert running.poll() is None

    def test_text_is_utf8_whatever_the_locale_says(self, kosmo: Kosmo) -> None:
        """Ours: a pipe or a cron job has no locale."""
        env = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        done = kosmo("integrations:lua", "--eval", 'print("é😀") error("ü")', env=env)
        assert done.stdout == "é😀\n"
        assert done.status == 1
        assert "error: eval:1: " in done.stderr

    def test_line_of_a_script_cannot_control_the_terminal(self, kosmo: Kosmo) -> None:
        """Ours: the source line that an error shows is made harmless."""
        done = kosmo("integrations:lua", "--eval", 'local s = "\x1b[2J" error("x")')
        assert "\x1b" not in done.stderr


class TestHelp:
    """What the command says about itself."""

    def test_version_names_lua_and_python(self, kosmo: Kosmo) -> None:
        """The card: --version."""
        python = ".".join(map(str, sys.version_info[:3]))
        assert kosmo("--version").stdout == f"kosmo {__version__} (Lua 5.4, Python {python})\n"

    def test_console_script_is_the_module(self) -> None:
        """The card: `kosmo` and `python -m kosmo_lua` are the same."""
        script = Path(sys.executable).with_name("kosmo")
        ran = [
            subprocess.run([*command, "--help"], capture_output=True, check=True).stdout  # noqa: S603  # our own
            for command in ([str(script)], COMMAND)
        ]
        assert ran[0] == ran[1]
        assert b"Usage: kosmo " in ran[0]

    @pytest.mark.parametrize("option", ["--help", "-h"])
    def test_help_lists_commands_and_options(self, kosmo: Kosmo, option: str) -> None:
        """The card: --help of kosmo and of a command."""
        assert "integrations:lua" in kosmo(option).stdout
        shown = kosmo("integrations:lua", option).stdout
        names = ["--eval", "--json", "--force", "--emulator", "--memory-limit", "--cpu-limit"]
        assert [name for name in [*names, "--timeout"] if name not in shown] == []
        assert "33554432" in shown

    def test_no_command_shows_the_help(self, kosmo: Kosmo) -> None:
        """Ours: it is no success either."""
        done = kosmo()
        assert (done.status, done.stdout) == (2, "")
        assert done.stderr.startswith("Usage: kosmo ")


LARGE = 'print(("x"):rep(300000)) print(("y"):rep(300000))'
CLOSED = 'exec "$@" >&-'
UNBUFFERED = pytest.mark.parametrize("unbuffered", ["", "1"])


class TestStdout:
    """A stdout that takes no more."""

    @UNBUFFERED
    @pytest.mark.parametrize(
        "arguments",
        [
            ["--eval", 'while true do print("x") end'],
            ["--eval", LARGE],
            ["--json", "--eval", LARGE],
            ["--eval", 'return ("x"):rep(300000)'],
        ],
    )
    def test_reader_that_leaves_ends_the_command_quietly(
        self, start: Start, arguments: list[str], unbuffered: str
    ) -> None:
        """The card: `| head -1` ends it with 141, as SIGPIPE would, and nothing on stderr."""
        running = start("integrations:lua", *arguments, env={"PYTHONUNBUFFERED": unbuffered})
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.read(1)
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 141

    @pytest.mark.parametrize("arguments", [["--json"], []])
    def test_closed_stdout_sends_nothing(
        self, start: Start, kosmo_emulator: Emulator, arguments: list[str]
    ) -> None:
        """The card: who cannot hear of the outcome should not cause one."""
        program = ["sh", "-c", CLOSED, "sh", *COMMAND]
        running = start("integrations:lua", *arguments, "--eval", TRACK, program=program)
        assert running.communicate() == (b"", b"")
        assert running.returncode == 141
        assert kosmo_emulator.events() == []

    @UNBUFFERED
    @pytest.mark.parametrize(
        "arguments",
        [["--eval", 'print("x")'], ["--eval", "return 1"], ["--json", "--eval", "return 1"]],
    )
    def test_full_disk_is_said(self, start: Start, arguments: list[str], unbuffered: str) -> None:
        """Ours: an output that is lost is an error."""
        with Path("/dev/full").open("wb") as full:
            env = {"PYTHONUNBUFFERED": unbuffered}
            running = start("integrations:lua", *arguments, stdout=full.fileno(), env=env)
        _, stderr = running.communicate()
        assert stderr == b"error: cannot write the output: No space left on device\n"
        assert running.returncode == 70

    def test_closed_stderr_changes_no_status(self, start: Start) -> None:
        """Ours: who does not want to read errors still gets their status."""
        program = ["sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND]
        running = start("integrations:lua", "nosuch.lua", program=program)
        assert running.communicate() == (b"", b"")
        assert running.returncode == 2


class TestEmulator:
    """kosmo emulator."""

    @pytest.mark.parametrize(
        ("number", "status"),
        [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)],
        ids=["TERM", "INT", "HUP"],
    )
    def test_emulator_serves_other_processes_until_it_is_stopped(
        self, start: Start, kosmo: Kosmo, number: signal.Signals, status: int
    ) -> None:
        """The card: one document with the variables to export; a signal ends it."""
        running = start("emulator", "--port", "0", "--json")
        assert running.stdout is not None
        text = b""
        while not text.endswith(b"\n}\n"):
            text += running.stdout.readline()
        document = json.loads(text)
        url = document["url"]
        assert document == {
            "success": True,
            "url": url,
            "env": {
                "KOSMO_POSTHOG_PROJECT_API_KEY": "phc_emulator",
                "KOSMO_POSTHOG_API_TOKEN": "phx_emulator",
                "KOSMO_POSTHOG_URL": url,
                "KOSMO_POSTHOG_INGESTION_URL": url,
                "KOSMO_POSTHOG_WRITE": "allow",
                "KOSMO_SEGMENT_WRITE_KEY": "emulator-write-key",
                "KOSMO_SEGMENT_API_TOKEN": "emulator-api-token",
                "KOSMO_SEGMENT_TRACKING_URL": url,
                "KOSMO_SEGMENT_API_URL": url,
                "KOSMO_SEGMENT_WRITE": "allow",
            },
        }
        assert kosmo("integrations:lua", "--eval", TRACK, env=document["env"]).stdout == "true\n"
        with urlopen(f"{url}/_kosmo/events") as answer:  # noqa: S310  # http, as it says
            assert [event["type"] for event in json.load(answer)["events"]] == ["track"]
        running.send_signal(number)
        assert running.communicate() == (b"", b"")
        assert running.returncode == status

    def test_variables_can_be_exported_as_they_are_printed(self, start: Start) -> None:
        """The card: as text it is something for a shell."""
        running = start("emulator", "--port", "0")
        assert running.stdout is not None
        lines = [running.stdout.readline().decode() for _ in range(11)]
        assert lines[0].startswith("# The emulator listens on http://127.0.0.1:")
        shell = f'{"".join(lines)}\necho "$KOSMO_SEGMENT_WRITE $KOSMO_SEGMENT_API_URL"'
        said = subprocess.run(["sh", "-c", shell], capture_output=True, check=True).stdout  # noqa: S603, S607  # our own
        url = lines[0].split()[5].rstrip(";")
        assert said.decode() == f"allow {url}\n"

    def test_port_in_use_is_an_error(self, kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
        """Ours: one clear sentence."""
        port = kosmo_emulator.url.rpartition(":")[2]
        done = kosmo("emulator", "--port", port, "--json")
        assert (done.status, done.json()["error_info"]["code"]) == (78, "config_error")
        assert f"port {port}" in done.json()["error"]


@pytest.mark.parametrize("command", [name for name in COMMANDS if not name.endswith(":call")])
def test_option_that_is_given_twice_is_refused(here: Kosmo, command: str) -> None:
    """Ours: of two values nobody knows which one was meant."""
    done = here(command, "--json", "--json")
    assert (done.status, done.json()["error"]) == (2, "--json is given twice")
