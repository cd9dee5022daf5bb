"""`require`: modules of the script's own folders, and nothing else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Finished

from kosmo_lua import Kosmo, Limits, Result

Run = Callable[[str], Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder of modules, beside one that is out of reach."""
    (tmp_path / "secret.lua").write_text("error('loaded')")
    folder = tmp_path / "scripts"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "users.lua").write_text(
        "count = (count or 0) + 1\nreturn {name = ..., n = count}\n"
    )
    return folder


@pytest.fixture
def run_in(folder: Path) -> Run:
    """Run code that may load modules of the folder."""
    return lambda code: Kosmo(environ={}).run(code, folders=[str(folder)])


def code_of(result: Result) -> tuple[str, str]:
    """Return the code and the sentence of a failure."""
    assert result.error_info is not None
    return result.error_info.code, str(result.error)


def test_module_is_run_once_and_its_value_returned(run_in: Run) -> None:
    """The card: `require "lib.users"` loads lib/users.lua; cached; its name is its argument."""
    result = run_in('local a, b = require "lib.users", require("lib.users") return a == b, a')
    assert result.result == [True, {"n": 1, "name": "lib.users"}]


def test_module_without_a_value_is_true(folder: Path, run_in: Run) -> None:
    """Lua: as its own `require`."""
    (folder / "quiet.lua").write_text("x = 1")
    assert run_in('return require "quiet", x').result == [True, 1]


def test_first_folder_wins(folder: Path, tmp_path: Path) -> None:
    """The card: the script's folder comes before those of --lua-path."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "m.lua").write_text("return 'other'")
    folders = [str(folder), str(other)]
    assert Kosmo(environ={}).run('return require "m"', folders=folders).result == "other"
    (folder / "m.lua").write_text("return 'own'")
    assert Kosmo(environ={}).run('return require "m"', folders=folders).result == "own"


@pytest.mark.parametrize(
    "name",
    [
        "..secret",
        "../secret",
        "lib/users",
        "lib..users",
        "lib.users.",
        ".lib.users",
        "/etc/passwd",
        "lib\\0.users",
        "",
        "a" * 300,
        "é",
        "lib users",
        "nosuch",
        "lib",
    ],
)
def test_name_leads_to_a_module_of_the_folder_or_nowhere(run_in: Run, name: str) -> None:
    """The card: no `..`, no path, nothing outside."""
    code, message = code_of(run_in(f'return require "{name}"'))
    assert code == "invalid_arguments"
    assert message.startswith("eval:1: require: ")
    assert "loaded" not in message


@pytest.mark.parametrize("value", ["nil", "1", "{}", "print", "'m', 'n'", ""])
def test_name_is_one_string(run_in: Run, value: str) -> None:
    """Ours: anything else is a mistake."""
    code, message = code_of(run_in(f"require({value})"))
    assert (code, message[:17]) == ("script_error", "eval:1: require: ")


@pytest.mark.parametrize("target", ["../secret.lua", "/etc/passwd", "/dev/zero", "lib"])
def test_link_that_leads_out_is_refused(folder: Path, run_in: Run, target: str) -> None:
    """The card: no symlink out; nor is a device or a folder a module."""
    (folder / "link.lua").symlink_to(target)
    assert code_of(run_in('require "link"'))[0] == "invalid_arguments"


def test_link_within_the_folder_is_followed(folder: Path, run_in: Run) -> None:
    """Ours: it stays inside."""
    (folder / "link.lua").symlink_to("lib/users.lua")
    assert run_in('return require("link").name').result == "link"


def test_pipe_is_no_module(folder: Path, run_in: Run) -> None:
    """Ours: reading it would wait for ever."""
    os.mkfifo(folder / "pipe.lua")
    assert code_of(run_in('require "pipe"'))[0] == "invalid_arguments"


@pytest.mark.parametrize("content", [b"\x1bLua\x54\x00", b"return '\xff'"])
def test_module_is_text(folder: Path, run_in: Run, content: bytes) -> None:
    """The card: text only; bytecode could crash the interpreter."""
    (folder / "m.lua").write_bytes(content)
    assert code_of(run_in('require "m"'))[0] in ("invalid_arguments", "script_error")


def test_cycle_is_reported_with_its_way(folder: Path, run_in: Run) -> None:
    """The card: cycles reported."""
    (folder / "a.lua").write_text('local b = require "b"\nreturn b')
    (folder / "b.lua").write_text('local a = require "a"\nreturn a')
    _, message = code_of(run_in('require "a"'))
    assert message == "b.lua:1: require: the module a needs itself: a -> b -> a"


def test_error_in_a_module_has_its_file_and_line(folder: Path, run_in: Run) -> None:
    """Ours: one looks there, and the traceback says how it came there."""
    (folder / "bad.lua").write_text("local x\nreturn x.y")
    result = run_in('local ok = 1\nlocal bad = require "bad"')
    info = result.error_info
    assert info is not None
    assert (info.file, info.line) == ("bad.lua", 2)
    assert info.traceback == (
        "stack traceback:\n\tbad.lua:2: in main chunk\n\teval:2: in main chunk"
    )


def test_module_that_failed_may_be_required_again(folder: Path, run_in: Run) -> None:
    """Ours: a failure is not remembered."""
    (folder / "m.lua").write_text("if not ready then error('not yet') end return 'ready'")
    result = run_in('local ok = pcall(require, "m") ready = true return ok, require "m"')
    assert result.result == [False, "ready"]


def test_syntax_error_in_a_module_is_told(folder: Path, run_in: Run) -> None:
    """Ours: with the module's file and line."""
    (folder / "m.lua").write_text("x =\n")
    assert "require: m.lua:2: unexpected symbol near <eof>" in code_of(run_in('require "m"'))[1]


def test_limits_hold_in_a_module(folder: Path) -> None:
    """Ours: a module is part of the script."""
    (folder / "m.lua").write_text("while true do end")
    kosmo = Kosmo(environ={}, limits=Limits(cpu=0.2))
    result = kosmo.run('pcall(require, "m")', folders=[str(folder)])
    assert code_of(result) == ("cpu_limit", "m.lua:1: CPU limit of 0.2 s exceeded")


def test_module_larger_than_memory_ends_the_run(folder: Path) -> None:
    """Ours: a file counts as what it is in Lua."""
    (folder / "m.lua").write_text("--" + "x" * 5_000_000)
    kosmo = Kosmo(environ={}, limits=Limits(memory=2_000_000))
    assert code_of(kosmo.run('require "m"', folders=[str(folder)]))[0] == "memory_limit"


def test_code_without_a_folder_has_no_modules(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card: not available to --eval unless --lua-path is given, whatever the current folder has."""
    monkeypatch.chdir(folder)
    result = Kosmo(environ={}).run('require "lib.users"')
    code, message = code_of(result)
    assert (code, message) == (
        "invalid_arguments",
        "eval:1: require: this script has no folder to load modules from",
    )
    assert result.error_info is not None
    assert result.error_info.hint == "Name one with --lua-path FOLDER."


class TestCommand:
    """As the command has it."""

    def test_file_has_the_modules_of_its_folder(
        self, kosmo: Callable[..., Finished], folder: Path
    ) -> None:
        """The card: below the script's folder, wherever the command is called."""
        (folder / "w.lua").write_text('print(require("lib.users").name)')
        assert kosmo("integrations:lua", str(folder / "w.lua")) == Finished(0, "lib.users\n", "")

    def test_eval_has_those_of_the_lua_path(
        self, kosmo: Callable[..., Finished], folder: Path
    ) -> None:
        """The card: --lua-path, which may be repeated."""
        code = 'print(require("lib.users").name)'
        assert kosmo("integrations:lua", "--eval", code).status == 65
        done = kosmo("integrations:lua", "--eval", code, "--lua-path=.", f"--lua-path={folder}")
        assert done == Finished(0, "lib.users\n", "")

    def test_error_shows_the_lines_of_the_module(
        self, kosmo: Callable[..., Finished], folder: Path
    ) -> None:
        """The card: three source lines with a caret, and the traceback."""
        (folder / "bad.lua").write_text("local x\nreturn x.y\n-- end")
        (folder / "w.lua").write_text('local bad = require "bad"\nreturn bad')
        done = kosmo("integrations:lua", str(folder / "w.lua"))
        name = str(folder / "w.lua")
        short = name if len(name) < 60 else "w.lua"
        assert done.stderr == (
            "error: bad.lua:2: attempt to index a nil value (local 'x')\n"
            "    1 | local x\n"
            "    2 | return x.y\n"
            "      |        ^\n"
            "    3 | -- end\n"
            "stack traceback:\n"
            "  bad.lua:2: in main chunk\n"
            f"  {short}:1: in main chunk\n"
        )
