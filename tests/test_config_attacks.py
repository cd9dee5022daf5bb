"""Files and variables of the configuration as careless users and attackers have them: nothing is sent."""

import json
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Finished, poll

from kosmo_lua import Config
from kosmo_lua import Kosmo as LuaKosmo
from kosmo_lua.emulator import Emulator

Kosmo = Callable[..., Finished]
Start = Callable[..., subprocess.Popen[bytes]]

TRACK = 'app.integrations.segment.track({event = "E", userId = "u"})'


COMMANDS = [
    ["integrations:lua", "--force", "--eval", TRACK],
    ["integrations:call", "segment.track", "--event", "E", "--user-id", "u", "--force"],
]


def refused(done: Finished) -> str:
    """Return the one sentence of a run that did not start, or whose call was refused."""
    assert (done.status, done.json()["error_info"]["code"]) == (78, "config_error")
    return str(done.json()["error"]).removeprefix("eval:1: ")


def run(kosmo: Kosmo) -> Finished:
    """Run a script that writes, with --force."""
    return kosmo("integrations:lua", "--force", "--json", "--eval", TRACK)


@pytest.mark.parametrize("name", ["home/config.toml", "home/credentials.toml", "kosmo.toml"])
@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("/dev/zero", "it is not a file"),
        ("/", "it is not a file"),
        ("/no/such/file", "No such file or directory"),
        ("kosmo.toml", "Too many levels of symbolic links"),
    ],
)
def test_link_to_what_is_no_file_is_an_error(  # noqa: PLR0917  # the case
    kosmo: Kosmo,
    home: Path,
    kosmo_emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    target: str,
    sentence: str,
) -> None:
    """Ours: a file whose rules cannot be read is never as if it were not there."""
    monkeypatch.delenv("KOSMO_SEGMENT_WRITE_KEY")
    path = home.parent / name
    path.symlink_to(path if target == "kosmo.toml" else target)
    assert refused(run(kosmo)).endswith(f"cannot read {path}: {sentence}")
    assert kosmo_emulator.events() == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a = " + "[" * 5000, " is nested too deeply"),
        ('[policy]\nsegment.write = "deny"', ": a rule of the policy is written in quotes"),
        ('[policy]\nwrite = "maybe"', ": the rule write must be allow, ask or deny"),
        ('[policies]\nwrite = "deny"', ": unknown key policies: did you mean policy?"),
        ("[limits]\nmemory = 1e9", ": limits.memory must be a whole number above 0"),
    ],
)
@pytest.mark.parametrize("name", ["home/config.toml", "kosmo.toml"])
def test_mistake_ends_the_run_with_its_file(  # noqa: PLR0917  # the case
    kosmo: Kosmo, home: Path, kosmo_emulator: Emulator, name: str, text: str, sentence: str
) -> None:
    """The card: one clear sentence, nothing sent."""
    path = home.parent / name
    path.write_text(text)
    assert refused(run(kosmo)).startswith(f"{path}{sentence}")
    assert kosmo_emulator.events() == []


def test_limits_may_be_huge(kosmo: Kosmo, home: Path) -> None:
    """Ours: who wants no limit writes a large number, as for the options."""
    huge = "9" * 400
    names = ("cpu", "wall", "memory", "output", "result", "calls")
    lines = "\n".join(f"{name} = {huge}" for name in names)
    (home / "config.toml").write_text(f"[limits]\n{lines}")
    assert kosmo("integrations:lua", "--eval", "return 1").stdout == "1\n"


@pytest.mark.parametrize(
    ("rule", "near"),
    [
        ('[policy]\n"segment.trak_event" = "deny"', "there is no trak_event. Did you mean: track"),
        ('[policy]\n"segmnt.write" = "deny"', "there is no segmnt. Did you mean: segment?"),
        ("[integrations.segmnt]\nenabled = false", "there is no segmnt. Did you mean: segment?"),
    ],
)
def test_rule_about_nothing_is_an_error(
    kosmo: Kosmo, home: Path, kosmo_emulator: Emulator, rule: str, near: str
) -> None:
    """Ours: a misspelt `deny` would deny nothing."""
    (home / "config.toml").write_text(rule)
    assert near in refused(run(kosmo))
    assert kosmo_emulator.events() == []


def test_rule_about_an_integration_of_another_machine_is_none(
    kosmo: Kosmo, home: Path, kosmo_emulator: Emulator
) -> None:
    """Ours: one config.toml serves several machines."""
    (home / "config.toml").write_text('[policy]\n"weather.write" = "deny"')
    assert run(kosmo).status == 0
    assert len(kosmo_emulator.events()) == 1


def test_home_must_be_an_absolute_path(
    kosmo: Kosmo, tmp_path: Path, kosmo_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours, as an attacker: a clone brings the folder that a relative path leads to."""
    monkeypatch.setenv("KOSMO_HOME", ".kosmo")
    monkeypatch.delenv("KOSMO_SEGMENT_WRITE")
    (tmp_path / ".kosmo").mkdir()
    (tmp_path / ".kosmo" / "config.toml").write_text('[policy]\nwrite = "allow"')
    assert refused(run(kosmo)) == "KOSMO_HOME must be an absolute path"
    monkeypatch.delenv("KOSMO_HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", ".kosmo")
    monkeypatch.setenv("HOME", ".")
    assert kosmo("integrations:lua", "--eval", TRACK).status == 77
    assert kosmo_emulator.events() == []


@pytest.mark.parametrize("unset", [True, False], ids=["unset", "empty"])
def test_without_a_variable_the_home_is_that_of_the_user(
    monkeypatch: pytest.MonkeyPatch, *, unset: bool
) -> None:
    """Ours: a service may run without HOME, and the rules of its user hold."""
    for name in ("KOSMO_HOME", "XDG_CONFIG_HOME", "HOME"):
        if unset:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, "")
    folder = f"{pwd.getpwuid(os.getuid()).pw_dir}/.config/kosmo"
    assert (Config.here().folder, LuaKosmo().config.folder) == (folder, folder)
    assert LuaKosmo(environ={}).config.folder is None


def test_without_any_home_there_are_no_files(
    kosmo: Kosmo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: a container whose user has none; what needs a folder says so."""
    monkeypatch.delenv("KOSMO_HOME")
    for name in ("XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(name, ".")
    assert kosmo("integrations:lua", "--eval", "return 1").stdout == "1\n"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("accounts:add segment", "credentials.toml"),
        ("integrations:configure segment --disable", "config.toml"),
        ("mcp:secret:set s KEY", "credentials.toml"),
        ("mcp:trust s --yes", "config.toml"),
        ("mcp:add t x --global", "mcp.json"),
        ("mcp:add t x", ".lock"),
    ],
)
def test_without_any_home_the_file_that_needs_it_is_named(
    kosmo: Kosmo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str
) -> None:
    """Ours: one sentence for all; a change of a project's file needs the lock of the user."""
    monkeypatch.delenv("KOSMO_HOME")
    for variable in ("XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(variable, ".")
    (tmp_path / ".mcp.json").write_text('{"mcpServers": {"s": {"command": "x"}}}')
    done = kosmo(*command.split(), "--json", stdin=b"write_key=a")
    assert refused(done) == f"there is no folder for {name}: neither KOSMO_HOME nor HOME names one"
    assert done.json()["error_info"]["hint"] == "Set KOSMO_HOME to a folder of your own."


def test_folder_that_cannot_be_written_is_one_sentence(
    kosmo: Kosmo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card: a home that is read-only; runs go on, with a warning for the audit log."""
    monkeypatch.setenv("KOSMO_HOME", "/proc/kosmo")
    done = kosmo("accounts:add", "segment", "--json", stdin=b"write_key=a")
    assert refused(done).startswith("cannot write /proc/kosmo/credentials.toml: ")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", COMMANDS, ids=["run", "call"])
def test_command_that_hangs_ends_with_the_run(  # noqa: PLR0917  # the case
    start: Start, home: Path, tmp_path: Path, command: list[str], number: int, status: int
) -> None:
    """The card: Ctrl-C while `cmd:` hangs: 130, and no process is left, also none that it has started."""
    script = f"sh -c 'echo $$ > {tmp_path}/pids; sleep 300 & echo $! >> {tmp_path}/pids; wait'"
    (home / "credentials.toml").write_text(f'[segment.default]\nwrite_key = "cmd:{script}"')
    (home / "credentials.toml").chmod(0o600)
    process = start(*command)
    pids = tmp_path / "pids"
    poll(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    process.send_signal(number)
    assert process.wait(20) == status
    poll(lambda: not any(_runs(int(pid)) for pid in pids.read_text().split()))


SIGNALLED = """if True:
    import os, subprocess, sys, time
    command = os.getpid()
    class Popen(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            print(self.pid, file=sys.stderr, flush=True)
            for _ in range(2):  # who is impatient sends it again
                os.kill(command, NUMBER)
                time.sleep(0.1)  # for the supervisor, which ends this process as soon as it may
    subprocess.Popen = Popen
    from kosmo_lua.__main__ import main
    main()
"""
"""Runs the command, which gets a signal when a program has started and nobody has its process yet."""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    "command", [*COMMANDS, ["mcp:tools", "sleeper"]], ids=["run", "call", "server"]
)
def test_program_that_has_just_started_ends_with_the_run(  # the case
    start: Start, home: Path, command: list[str], number: int, status: int
) -> None:
    """Ours: Ctrl-C may come at any time."""
    (home / "credentials.toml").write_text('[segment.default]\nwrite_key = "cmd:sleep 300"')
    (home / "credentials.toml").chmod(0o600)
    sleeper = {"command": "sleep", "args": ["300"]}
    (home / "mcp.json").write_text(json.dumps({"mcpServers": {"sleeper": sleeper}}))
    program = [sys.executable, "-c", SIGNALLED.replace("NUMBER", str(int(number)))]
    process = start(*command, program=program)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == status
    poll(lambda: not _runs(int(stderr.split()[0])))


def test_command_ends_with_a_run_whose_caller_leaves(home: Path, tmp_path: Path) -> None:
    """Ours: who hears of a run may raise; what it has started is not forgotten."""
    pid = tmp_path / "pid"
    script = f"sh -c 'echo $$ > {pid}; sleep 300'"
    (home / "credentials.toml").write_text(f'[segment.default]\nwrite_key = "cmd:{script}"')
    (home / "credentials.toml").chmod(0o600)

    def leave(text: str) -> None:
        poll(lambda: pid.exists() and pid.read_text().strip())
        raise RuntimeError(text)

    with LuaKosmo(force=True, isolation="process") as kosmo, pytest.raises(RuntimeError):
        kosmo.run(f"print('leave') {TRACK}", on_output=leave)
    poll(lambda: not _runs(int(pid.read_text())))


def _runs(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait for its parent to ask."""
    try:
        os.kill(pid, 0)
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("integrations:configure segment --disable", "config.toml"),
        ("accounts:add segment", "credentials.toml"),
        ("mcp:add s x --global", "mcp.json"),
        ("mcp:add s x", ".mcp.json"),
        ("mcp:gateway:install cursor", ".cursor/mcp.json"),
    ],
)
def test_pipe_is_never_replaced_by_a_file(
    kosmo: Kosmo, home: Path, tmp_path: Path, command: str, name: str
) -> None:
    """Ours: nor is a device; somebody has made it for a reason."""
    pipe = (tmp_path if name.startswith(".") else home) / name
    pipe.parent.mkdir(exist_ok=True)
    os.mkfifo(pipe)
    pipe.chmod(0o600)
    done = kosmo(*command.split(), "--json", stdin=b"write_key=a")
    assert refused(done) == f"cannot read {pipe}: it is not a file"
    assert pipe.is_fifo()
