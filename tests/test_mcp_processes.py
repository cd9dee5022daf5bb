"""MCP servers that are programs: what they get, and that they end with the run, whatever ends that."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import Finished, poll
from library_server import SERVERS, Library, define, program

from kosmo_lua import Kosmo

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def stubborn(home: Path, tmp_path: Path) -> Callable[[], int]:
    """Define a server that ends neither with its stdin nor by SIGTERM, and return how to find its group."""
    pid, notes = tmp_path / "pid", tmp_path / "notes"
    notes.touch()
    serve = f"{sys.executable} {SERVERS / 'library.py'}"
    script = f"trap '' TERM; echo $$ > {pid}; sleep 1000 & {serve}; sleep 1000"
    define(
        home / "mcp.json",
        library={"command": "sh", "args": ["-c", script], "env": {"NOTES": str(notes)}},
    )

    def group() -> int:
        poll(lambda: pid.exists() and pid.read_text(encoding="utf-8").endswith("\n"))
        return int(pid.read_text(encoding="utf-8"))

    return group


def is_gone(group: int) -> bool:
    """Whether no process of a group runs; one that has ended may wait for the system to take note."""
    return not [state for state, member in processes() if member == group and state != "Z"]


def processes() -> Iterator[tuple[str, int]]:
    """Yield the state and the group of every process."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended just now
            state, _, group, *_ = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            yield state, int(group)


SLOW = "app.mcp.library.slow{seconds = 60, steps = 1, started = true}"


@pytest.mark.parametrize(
    ("code", "limits", "status"),
    [
        ("return app.mcp.library.add{a = 1, b = 2}", [], 0),
        ("app.mcp.library.add{a = 1, b = 2} while true do end", ["--cpu-limit", "0.2"], 124),
    ],
    ids=["end", "CPU limit"],
)
def test_server_ends_with_its_run(
    kosmo: Callable[..., Finished],
    stubborn: Callable[[], int],
    code: str,
    limits: list[str],
    status: int,
) -> None:
    """Ours: with all that it has started."""
    done = kosmo("mcp:lua", "--eval", code, *limits, "--json")
    assert (done.status, done.stderr) == (status, "")
    assert is_gone(stubborn())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_server_ends_when_its_run_is_killed(
    start: Start, stubborn: Callable[[], int], tmp_path: Path, number: signal.Signals
) -> None:
    """Ours: also when kosmo itself is killed, so that nobody is there to end it."""
    process = start("mcp:lua", "--eval", SLOW, "--json")
    group = stubborn()
    poll(lambda: "started" in (tmp_path / "notes").read_text(encoding="utf-8"))
    process.send_signal(number)
    process.wait(timeout=20)
    poll(lambda: is_gone(group))


def test_server_ends_with_a_call_from_the_command_line(
    kosmo: Callable[..., Finished], stubborn: Callable[[], int]
) -> None:
    """Ours: that is no script, and has no process of its own."""
    done = kosmo("mcp:call", "library.add", "--a", "1", "--b", "2", "--json")
    assert (done.status, done.json()["data"]) == (0, {"sum": 3})
    assert is_gone(stubborn())


def test_server_of_an_earlier_script_ends_with_its_session(
    stubborn: Callable[[], int], home: Path
) -> None:
    """Ours: one connection serves the scripts of a session, and is ended when a later one is killed."""
    from kosmo_lua.lua.limits import Limits  # noqa: PLC0415  # only here

    del home
    with Kosmo(isolation="process", limits=Limits(cpu=0.2)) as kosmo, kosmo.session() as session:
        first = session.run("return app.mcp.library.add{a = 1, b = 2}.sum")
        group = stubborn()
        assert not is_gone(group)
        second = session.run("while true do end")
        assert (first.result, second.error_info and second.error_info.code) == (3, "cpu_limit")
    poll(lambda: is_gone(group))


def test_server_of_a_thread_ends_with_its_kosmo(stubborn: Callable[[], int]) -> None:
    """Ours: where scripts run in a thread, connections last as long as the session."""
    with Kosmo() as kosmo:
        assert kosmo.run("return app.mcp.library.add{a = 1, b = 2}.sum").result == 3
    assert is_gone(stubborn())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_server_hears_that_a_call_is_cancelled(
    start: Start, library: Library, number: signal.Signals
) -> None:
    """Ours: one that serves others too would go on working for nobody."""
    process = start("mcp:lua", "--eval", SLOW, "--json")
    poll(lambda: library.notes == ["started"])
    process.send_signal(number)
    document = json.loads(process.communicate(timeout=20)[0])
    assert (document["error_info"]["code"], process.returncode) == ("interrupted", 128 + number)
    assert [call["effect"] for call in document["call_log"]] == ["unknown"]
    poll(lambda: library.notes == ["started", "cancelled"])


def test_server_hears_that_a_script_is_stopped_by_its_program(library: Library) -> None:
    """Ours: as the gateway stops the script of a request that its client has cancelled."""
    with Kosmo(isolation="process") as kosmo, kosmo.session() as session:
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(session.run, SLOW)
            poll(lambda: library.notes == ["started"])
            session.stop()
            result = run.result(timeout=20)
        assert result.error_info is not None
        assert (result.error_info.code, result.call_log[0].effect) == ("interrupted", "unknown")
        poll(lambda: library.notes == ["started", "cancelled"])


def test_server_hears_that_a_call_from_the_command_line_is_cancelled(
    start: Start, library: Library
) -> None:
    """Ours: the same without a script."""
    arguments = '{"seconds": 60, "steps": 1, "started": true}'
    process = start("mcp:call", "library.slow", arguments, "--json")
    poll(lambda: library.notes == ["started"])
    process.send_signal(signal.SIGINT)
    document = json.loads(process.communicate(timeout=20)[0])
    assert (document["error_info"]["code"], process.returncode) == ("interrupted", 130)
    poll(lambda: library.notes == ["started", "cancelled"])


def test_environment_of_a_server_is_minimal(kosmo: Callable[..., Finished], home: Path) -> None:
    """Ours: no variable of the user's reaches a server unless its definition names it."""
    define(home / "mcp.json", library=program("library", TOKEN="${MY_TOKEN}", PLAIN="yes"))
    secrets = {"MY_TOKEN": "s3cr3t-token", "AWS_SECRET_ACCESS_KEY": "hidden", "KOSMO_X": "1"}
    done = kosmo("mcp:call", "library.environment", "--json", env=secrets)
    environment: dict[str, Any] = done.json()["data"]
    assert (environment["TOKEN"], environment["PLAIN"]) == ("s3cr3t-token", "yes")
    usual = {
        "HOME",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "LOGNAME",
        "PATH",
        "PWD",
        "SHELL",
        "TERM",
        "TMPDIR",
    }
    assert {*environment} <= usual | {"USER", "TOKEN", "PLAIN"}


def test_memory_limit_of_the_script_is_not_that_of_a_server(
    kosmo: Callable[..., Finished], home: Path
) -> None:
    """Ours: a server is no part of the script, and may need more."""
    limit = "import resource, sys; sys.exit(str(resource.getrlimit(resource.RLIMIT_DATA)))"
    define(home / "mcp.json", library={"command": sys.executable, "args": ["-c", limit]})
    done = kosmo("mcp:lua", "--eval", "app.mcp.library.add{}", "--json")
    assert "(-1, -1)" in done.json()["error"]


def test_crash_in_the_middle_costs_only_itself(
    kosmo: Callable[..., Finished], home: Path, tmp_path: Path
) -> None:
    """Ours: what the call has done is unknown, and the next one starts the server anew."""
    define(home / "mcp.json", library=program("library", NOTES=str(tmp_path / "notes")))
    code = """
    local ok, err = pcall(app.mcp.library.crash)
    return ok, err.code, err.effect, err.hint, app.mcp.library.add{a = 1, b = 2}.sum
    """
    done = kosmo("mcp:lua", "--eval", code, "--force", "--json")
    hint = "The write may or may not have happened; check before you call it again."
    assert done.json()["result"] == [False, "unreachable", "unknown", hint, 3]
    assert (tmp_path / "notes").read_text(encoding="utf-8") == "crash\n"
    assert [call["effect"] for call in done.json()["call_log"]] == ["unknown", "sent"]


def test_secret_of_a_server_is_in_no_output(
    kosmo: Callable[..., Finished], home: Path, tmp_path: Path
) -> None:
    """Ours: neither in errors, nor in a recording, nor in what a dry run shows."""
    define(home / "mcp.json", library=program("library", TOKEN="${MY_TOKEN}"))
    secret, tape = {"MY_TOKEN": "s3cr3t-token"}, tmp_path / "tape"
    failing = 'app.mcp.library.fail{reason = "s3cr3t-token is wrong"}'
    shown = kosmo("mcp:lua", "--eval", failing, "--record", str(tape), "--json", env=secret)
    assert "******** is wrong" in shown.json()["error"]
    assert "s3cr3t" not in shown.stdout + tape.read_text(encoding="utf-8")
