"""The REPL: `kosmo integrations:lua --repl`."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Finished
from pseudo_terminal import WHERE_IS_THE_CURSOR, Terminal

from kosmo_lua.lua.syntax import Syntax

Kosmo = Callable[..., Finished]

PROMPT = WHERE_IS_THE_CURSOR.decode()
"""What each prompt begins with: from there on it reads keys."""


class TestPiped:
    """Statements on stdin."""

    def test_one_lua_state_is_kept_between_statements(self, kosmo: Kosmo) -> None:
        """The card: what one line leaves in globals the next one finds; values are printed."""
        typed = b"x = 20\nfunction double(n)\n  return 2 * n\nend\ndouble(x) + 2, 'and', {1}\nreturn x\n"
        done = kosmo("integrations:lua", "--repl", stdin=typed)
        assert done == Finished(0, "42\tand\t[\n  1\n]\n20\n", "")

    def test_error_is_shown_and_the_next_statement_runs(self, kosmo: Kosmo) -> None:
        """Ours: as on a terminal, an error ends the line and not the REPL."""
        done = kosmo("integrations:lua", "--repl", stdin=b"x = 1\nnil + 1\nx = end\nx\n")
        assert done.stdout == "1\n"
        assert done.stderr == (
            "error: repl:1: attempt to perform arithmetic on a nil value\n"
            "    1 | nil + 1\n"
            "      | ^\n"
            "error: repl:1: unexpected symbol near 'end'\n"
            "    1 | x = end\n"
            "      |     ^\n"
        )

    @pytest.mark.parametrize("encoding", ["utf-8:strict", "utf-8:surrogateescape", "latin-1"])
    def test_line_that_is_no_utf8_is_told_and_the_next_statement_runs(
        self, kosmo: Kosmo, encoding: str
    ) -> None:
        """Ours: whatever the locale makes of stdin."""
        typed = b"x = '\xc3\xa4'\ny = '\xff'\nx, #x\n"
        env = {"PYTHONIOENCODING": encoding}
        done = kosmo("integrations:lua", "--repl", stdin=typed, env=env)
        told = "error: repl:1: the script is not valid UTF-8\nhint: Write it in UTF-8.\n"
        assert done == Finished(0, "ä\t2\n", told)

    def test_calls_work_as_in_a_script(self, kosmo: Kosmo) -> None:
        """The card: same flags as a run."""
        typed = b"app.integrations.segment.get_current_user().slug\n"
        done = kosmo("integrations:lua", "--repl", "--emulator", stdin=typed)
        assert done == Finished(0, "my-workspace\n", "")

    def test_limits_count_for_each_statement(self, kosmo: Kosmo) -> None:
        """The card: limits count per line, and a soft stop keeps the state."""
        typed = b"x = 1\nprint('12345')\nprint('1234')\nwhile true do end\nx\n"
        limits = ("--output-limit=9", "--cpu-limit=0.2")
        done = kosmo("integrations:lua", "--repl", *limits, stdin=typed)
        assert (done.status, done.stdout) == (0, "12345\n1234\n1\n")
        assert done.stderr.startswith("error: repl:1: CPU limit of 0.2 s exceeded\n")

    def test_hard_stop_says_that_the_state_is_gone(self, kosmo: Kosmo) -> None:
        """The card: a hard stop starts a new state and says so."""
        typed = b"x = 1\n(('a'):rep(300)):find('.-.-.-.-b')\ntostring(x)\n"
        done = kosmo("integrations:lua", "--repl", "--cpu-limit=0.2", stdin=typed)
        assert (done.status, done.stdout) == (0, "nil\n")
        assert done.stderr == (
            "error: CPU limit of 0.2 s exceeded\n"
            "The line could only be ended with its Lua state: the globals are gone.\n"
        )

    def test_modules_come_from_the_lua_path(self, kosmo: Kosmo, tmp_path: Path) -> None:
        """Ours: as for --eval."""
        (tmp_path / "m.lua").write_text("return {answer = 42}")
        done = kosmo("integrations:lua", "--repl", "--lua-path=.", stdin=b"require('m').answer\n")
        assert done == Finished(0, "42\n", "")

    def test_arguments_are_the_scripts(self, kosmo: Kosmo) -> None:
        """Ours: as for a run."""
        done = kosmo("integrations:lua", "--repl", "--", "a", stdin=b"arg[0], arg[1], ...\n")
        assert done == Finished(0, "repl\ta\ta\n", "")

    @pytest.mark.parametrize("other", [["w.lua"], ["--eval", "x"], ["--json"]])
    def test_other_sources_are_refused(self, kosmo: Kosmo, other: list[str]) -> None:
        """Ours: what would be ignored is a mistake."""
        done = kosmo("integrations:lua", "--repl", *other)
        assert done.status == 2
        assert "--repl reads from the terminal" in done.stdout + done.stderr


class TestTerminal:
    """Somebody types."""

    def test_lines_run_and_ctrl_d_leaves(self, terminal: Terminal, tmp_path: Path) -> None:
        """The card: results printed, multi-line input, history for one's own eyes."""
        process = self.start(terminal, tmp_path)
        terminal.type("for i = 1, 2 do\r")
        terminal.wait_for(">>")
        terminal.type("print('line ' .. i) end\r")
        terminal.wait_for("line 2")
        terminal.type("40 + 2\r")
        terminal.wait_for("42\r\n")
        self.leave(terminal)
        assert process.wait(20) == 0
        history = tmp_path / "home" / "history"
        assert "+40 + 2\n" in history.read_text()
        assert history.stat().st_mode & 0o777 == 0o600

    def test_tab_completes_the_names_of_app(self, terminal: Terminal, tmp_path: Path) -> None:
        """The card: completion of `app.integrations.` from the catalog."""
        process = self.start(terminal, tmp_path, "--emulator")
        terminal.type("app.integrations.seg\t")
        terminal.wait_for("ment")
        terminal.type(".get_cur\t")
        terminal.wait_for("rent_user")
        terminal.type("().slug\r")
        terminal.wait_for("my-workspace\r\n")
        self.leave(terminal)
        assert process.wait(20) == 0

    def test_ctrl_c_stops_the_line_and_keeps_the_state(
        self, terminal: Terminal, tmp_path: Path
    ) -> None:
        """The card: Ctrl-C stops the line and not the REPL."""
        process = self.start(terminal, tmp_path)
        terminal.type("x = 41\rprint('runs') while true do end\r")
        terminal.wait_for("runs\r\n")
        terminal.type("\x03")
        terminal.wait_for("error: repl:1: stopped by Ctrl-C")
        terminal.type("x + 1\r")
        terminal.wait_for("42\r\n")
        self.leave(terminal)
        assert process.wait(20) == 0

    def test_ctrl_c_at_the_prompt_drops_what_was_typed(
        self, terminal: Terminal, tmp_path: Path
    ) -> None:
        """Ours: as in a shell."""
        process = self.start(terminal, tmp_path)
        terminal.type("error('typed")
        terminal.wait_for("typed")
        terminal.type("\x03")
        terminal.wait_for(PROMPT)
        terminal.type("'next ' .. 'line'\r")
        terminal.wait_for("next line\r\n")
        self.leave(terminal)
        assert process.wait(20) == 0

    def test_write_asks_first(self, terminal: Terminal, tmp_path: Path) -> None:
        """Ours: permission is that of a run, and the REPL goes on after a no."""
        env = {"KOSMO_SEGMENT_WRITE_KEY": "key"}
        process = self.start(terminal, tmp_path, env=env)
        terminal.type("app.integrations.segment.track({event = 'E', userId = 'u'})\r")
        terminal.wait_for("always for this run: ")
        terminal.type("n\n")
        terminal.wait_for("was not approved")
        self.leave(terminal)
        assert process.wait(20) == 0

    def test_missing_extra_names_its_command(self, terminal: Terminal, tmp_path: Path) -> None:
        """Ours: without prompt_toolkit the error says what to install."""
        (tmp_path / "sitecustomize.py").write_text(
            "import importlib.util as util\n"
            "found = util.find_spec\n"
            "util.find_spec = lambda name: None if name == 'prompt_toolkit' else found(name)\n"
        )
        process = terminal.run("--repl", env={"PYTHONPATH": str(tmp_path)})
        terminal.wait_for("error: --repl needs prompt_toolkit, which is not installed")
        terminal.wait_for('hint: pip install "kosmo-lua[repl]"')
        assert process.wait(20) == 78

    @staticmethod
    def start(
        terminal: Terminal, home: Path, *options: str, env: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start the REPL, and wait for its first prompt."""
        env = {"KOSMO_HOME": str(home / "home"), **(env or {})}
        process = terminal.run("--repl", *options, env=env, stdout=terminal.descriptor)
        terminal.wait_for(PROMPT)
        return process

    @staticmethod
    def leave(terminal: Terminal) -> None:
        """Press Ctrl-D at the next prompt."""
        terminal.wait_for(PROMPT)
        terminal.type("\x04")


@pytest.mark.parametrize(
    ("code", "complete"),
    [
        ("", True),
        ("x", True),
        ("x = 1", True),
        ("x +", False),
        ("f(", False),
        ("for i = 1, 2 do", False),
        ("for i = 1, 2 do end", True),
        ("x = [[", False),
        ("--[[ comment", False),
        ("x = 'cut", False),
        ("x = 'cut\n", True),
        ("x =", False),
        ("end", True),
        ("return 1,", False),
    ],
)
def test_statement_is_complete_when_more_lines_make_no_sense(code: str, *, complete: bool) -> None:
    """Ours: Enter runs what is whole or wrong, and opens a new line in what is cut."""
    assert Syntax().is_complete(code) is complete
