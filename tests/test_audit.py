"""The audit log: what every run has called."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Finished, echo

from kosmo_lua import Kosmo, Limits
from kosmo_lua.audit import KEPT, Audit
from kosmo_lua.emulator import Emulator
from kosmo_lua.results import Call

SAY = 'pcall(app.integrations.echo.say, {{text = "{}"}})'


def lines(path: Path) -> list[Any]:
    """Return the log."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_call_is_a_line(tmp_path: Path) -> None:
    """The card: who, when, function, account, arguments' hash, effect, status; and which run."""
    path = tmp_path / "audit.jsonl"
    kosmo = Kosmo(environ={}, integrations=[echo], audit=str(path))
    result = kosmo.run(
        SAY.format("a")
        + SAY.format("b")
        + SAY.format("a")
        + "app.integrations.echo.fail{text = 'secret'}"
    )
    first, second, third, failed = lines(path)
    assert {**first, "time": "T", "user": "U"} == {
        "time": "T",
        "user": "U",
        "pid": os.getpid(),
        "run_id": result.meta.run_id,
        "function": "echo.say",
        "account": "default",
        "access": "read",
        "arguments": first["arguments"],
        "effect": "none",
        "status": None,
        "error": None,
    }
    assert first["arguments"] == third["arguments"] != second["arguments"]
    assert (failed["function"], failed["error"]) == ("echo.fail", "internal")
    assert "secret" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_call_that_was_cut_off_is_there(tmp_path: Path, kosmo_emulator: Emulator) -> None:
    """The card: everything a run did, also what nobody knows the end of."""
    kosmo_emulator.fault(delay=20)
    path = tmp_path / "audit.jsonl"
    kosmo = Kosmo(limits=Limits(wall=3), audit=str(path), isolation="process")
    kosmo.run('app.integrations.segment.track{event = "E", userId = "u"}')
    (line,) = lines(path)
    assert (line["effect"], line["error"]) == ("unknown", "interrupted")


def test_command_writes_it_in_the_users_folder(
    kosmo: Callable[..., Finished], tmp_path: Path, kosmo_emulator: Emulator
) -> None:
    """The card: append-only; runs on the emulator of the command do nothing real, and are not in it."""
    env = {"KOSMO_HOME": str(tmp_path / "home")}
    code = 'app.integrations.segment.track{event = "E", userId = "u"}'
    for _ in range(2):
        assert kosmo("integrations:lua", "--eval", code, env=env).status == 0
    assert kosmo("integrations:lua", "--emulator", "--eval", code, env=env).status == 0
    log = lines(tmp_path / "home" / "audit.jsonl")
    assert [(line["function"], line["effect"], line["status"]) for line in log] == [
        ("segment.track_event", "sent", 200)
    ] * 2
    assert len({line["run_id"] for line in log}) == 2
    assert len(kosmo_emulator.events()) == 2


def test_log_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    """Ours: a full disk does not end a run that is under way."""
    (tmp_path / "file").write_text("")
    kosmo = Kosmo(environ={}, integrations=[echo], audit=str(tmp_path / "file" / "audit.jsonl"))
    result = kosmo.run(SAY.format("a") * 2)
    assert result.success
    assert len(result.warnings) == 1
    assert result.warnings[0].startswith("the audit log cannot be written: ")


def test_file_is_rotated_and_all_that_is_kept_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card: rotated."""
    monkeypatch.setattr("kosmo_lua.audit.MAX_SIZE", 1000)
    audit = Audit(str(tmp_path / "audit.jsonl"))
    for number in range(100):
        audit.write(str(number), Call("echo.say", "default", "read"), None)
    assert (tmp_path / f"audit.jsonl.{KEPT}").exists()
    assert not (tmp_path / f"audit.jsonl.{KEPT + 1}").exists()
    read = [str(line["run_id"]) for line in audit.read([])]
    assert read == [str(number) for number in range(100 - len(read), 100)]
    assert len(read) > 3 * KEPT


def test_lines_of_processes_do_not_mix(tmp_path: Path) -> None:
    """Ours: cron jobs run side by side, and rotate side by side."""
    program = """if True:
        import sys
        from kosmo_lua import audit
        from kosmo_lua.results import Call
        audit.MAX_SIZE, audit.KEPT = 20_000, 50
        log = audit.Audit(sys.argv[1])
        for number in range(200):
            log.write(f"{sys.argv[2]}-{number}", Call("echo.say", "x" * 50, "read"), None)
    """
    path = str(tmp_path / "audit.jsonl")
    processes = [
        subprocess.Popen([sys.executable, "-c", program, path, str(number)])  # noqa: S603  # our own
        for number in range(5)
    ]
    assert [process.wait(60) for process in processes] == [0] * 5
    files = [file for file in tmp_path.iterdir() if not file.name.endswith(".lock")]
    seen = [line["run_id"] for file in files for line in lines(file)]
    assert sorted(seen) == sorted(f"{a}-{b}" for a in range(5) for b in range(200))


def test_broken_line_costs_only_itself(kosmo: Callable[..., Finished], tmp_path: Path) -> None:
    """Ours: a full disk leaves half a line; the calls before and after it are shown."""
    audit = Audit(str(tmp_path / "audit.jsonl"))
    audit.write("first", Call("echo.say", "default", "read"), None)
    with (tmp_path / "audit.jsonl").open("a") as file:
        file.write('{"time": "20\n[]\n')
    audit.write("second", Call("echo.say", "\x1b[2J", "read"), None)
    env = {"KOSMO_HOME": str(tmp_path)}
    document = kosmo("audit", "--json", env=env).json()
    assert [call["run_id"] for call in document["calls"]] == ["first", "second"]
    path = tmp_path / "audit.jsonl"
    assert document["warnings"] == [f"{path}, line {at} is no call" for at in (2, 3)]
    assert "\x1b" not in kosmo("audit", env=env).stdout


def test_log_that_cannot_be_read_is_one_sentence(
    kosmo: Callable[..., Finished], tmp_path: Path
) -> None:
    """Ours: for `kosmo audit`."""
    (tmp_path / "audit.jsonl").mkdir()
    done = kosmo("audit", env={"KOSMO_HOME": str(tmp_path)})
    assert (done.status, done.stdout) == (78, "")
    assert done.stderr == f"error: cannot read {tmp_path}/audit.jsonl: Is a directory\n"
