"""Start-up: what a process of the command loads, and what it does not."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from conftest import TELLING_FORKS

Loaded = Callable[..., list[set[str]]]

SLOW = {
    "asyncio",
    "filelock",
    "httpx",
    "importlib.metadata",
    "keyring",
    "kosmo_segment",
    "logging",
    "mcp",
    "pydantic",
    "regex",
    "ssl",
    "starlette",
    "subprocess",
    "tomlkit",
    "tomllib",
    "uvicorn",
}
"""Each takes longer to import than a script of one line takes to run."""

TELL = """if True:
    import os, sys, _thread
    leave, first = os._exit, _thread.allocate_lock()
    def tell(status):
        first.acquire()  # never given back: two threads of the child may end it, and one file is written
        with open(f"modules-{os.getpid()}", "w") as file:
            file.write(" ".join(sys.modules))
        leave(status)
    os._exit = tell
    from kosmo_lua.__main__ import main
    main()
"""
"""Runs the command; each of its processes ends through os._exit, and says first what it has loaded."""


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Run a command; return what each of its processes had loaded at its end."""

    def loaded(*arguments: str) -> list[set[str]]:
        command = [sys.executable, "-c", TELL, *arguments]
        subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL, timeout=60)  # noqa: S603  # our own
        return [set(file.read_text().split()) for file in tmp_path.glob("modules-*")]

    return loaded


def of(modules: Iterable[str], *packages: str) -> list[str]:
    """Return the modules of these packages."""
    return [
        name
        for name in modules
        if name.startswith(tuple(f"{name}." for name in packages)) or name in packages
    ]


def test_small_script_loads_nothing_slow_in_either_process(loaded: Loaded) -> None:
    """The card: httpx, pydantic, mcp, asyncio, importlib.metadata, integrations and pathlib can wait."""
    processes = loaded("integrations:lua", "--eval", "return 1", "--json")
    assert len(processes) == 2
    assert [of(modules, *SLOW, "pathlib") for modules in processes] == [[], []]


def test_only_the_process_of_the_script_loads_lua(loaded: Loaded) -> None:
    """Ours: the two processes start at the same time, each with its own part."""
    processes = loaded("integrations:lua", "--eval", "return 1", "--json")
    found = sorted(("lupa" in modules, "click" in modules) for modules in processes)
    assert found == [(False, True), (True, False)]


def test_what_is_needed_is_loaded_when_it_is_needed(loaded: Loaded) -> None:
    """Ours: docs and integrations come with a script that uses them, in its process alone."""
    processes = loaded("integrations:lua", "--eval", "return #docs.list()", "--json")
    needed = ["importlib.metadata", "kosmo_segment", "pydantic"]
    assert sorted([name for name in needed if name in modules] for modules in processes) == [
        [],
        needed,
    ]


def test_plugin_of_pydantic_is_not_loaded(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: it would be shown every credential and every argument."""
    info = tmp_path / "spy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: spy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pydantic]\nspy = spying:plugin\n")
    (tmp_path / "spying.py").write_text("plugin = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    script = "return pcall(app.integrations.segment.track, {})"
    processes = loaded("integrations:lua", "--eval", script, "--json")
    assert [of(modules, "spying") for modules in processes] == [[], []]


def test_script_loads_only_the_integration_that_it_uses(loaded: Loaded) -> None:
    """Ours: another one that is installed costs a script nothing."""
    script = "return pcall(app.integrations.segment.track, {})"
    processes = loaded("integrations:lua", "--eval", script, "--json")
    assert sorted(
        of(modules, "kosmo_posthog", "kosmo_segment.events") for modules in processes
    ) == [
        [],
        ["kosmo_segment.events"],
    ]


def test_names_of_integrations_load_none(loaded: Loaded) -> None:
    """Ours: what is installed is known by its entry points."""
    script = "local n = 0 for _ in pairs(app.integrations) do n = n + 1 end assert(n == 2)"
    processes = loaded("integrations:lua", "--eval", script, "--json")
    needless = ("httpx", "kosmo_posthog", "kosmo_segment", "pydantic")
    assert [of(modules, *needless) for modules in processes] == [[], []]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["integrations:lua", "--help"],
        ["integrations:docs", "--help"],
        ["integrations:test", "--help"],
    ],
)
def test_help_loads_neither_lua_nor_http(loaded: Loaded, arguments: list[str]) -> None:
    """Ours: who asks for help waits for nothing."""
    (modules,) = loaded(*arguments)
    assert of(modules, *SLOW, "lupa") == []


def test_call_loads_no_lua(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours: one call needs neither Lua nor another process."""
    monkeypatch.setenv("KOSMO_SEGMENT_API_TOKEN", "token")
    (modules,) = loaded("integrations:call", "segment.get_current_user", "--dry-run")
    assert of(modules, "asyncio", "lupa", "mcp", "starlette", "uvicorn") == []


def test_package_is_a_set_of_names() -> None:
    """Ours: `import kosmo_lua` costs a program nothing until it uses a name."""
    program = "import sys; import kosmo_lua; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)  # noqa: S603  # our own
    assert of(done.stdout.split(), *SLOW, "kosmo_lua", "lupa", "click") == ["kosmo_lua"]


REFUSED = """if True:
    import errno, os
    fork = os.fork
    def refuse():
        os.fork = fork
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
    os.fork = refuse
    from kosmo_lua.__main__ import main
    main()
"""
"""Runs the command; the first process that it wants cannot be made."""


def run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a program that runs the command."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603  # our own


@pytest.mark.parametrize("option", ["--no-such-option", "--help"])
def test_command_that_runs_nothing_leaves_no_process(option: str) -> None:
    """Ours: the process for the script was forked before anybody knew that there is none."""
    done = run(TELLING_FORKS, "integrations:lua", option)
    process = int(done.stderr.splitlines()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.parametrize("arguments", [("emulator", "--help"), ("integrations:lua", "--repl")])
def test_command_without_a_script_forks_no_process_for_one(arguments: tuple[str, ...]) -> None:
    """Ours: nor does the REPL, whose process comes from the server."""
    assert run(TELLING_FORKS, *arguments).stderr == ""


def test_process_that_could_not_be_made_early_is_made_later() -> None:
    """Ours: for a moment there may be too many."""
    done = run(REFUSED, "integrations:lua", "--eval", "return 1")
    assert (done.returncode, done.stdout) == (0, "1\n")


def test_script_in_a_named_pipe_is_read_once(tmp_path: Path) -> None:
    """Ours: its process looks into files ahead, and must not take what the command is to read."""
    pipe = tmp_path / "workflow.lua"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "kosmo_lua", "integrations:lua", str(pipe)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own
        pipe.write_text("return 'app.'")
        assert process.communicate(timeout=20)[0] == "app.\n"


@pytest.mark.parametrize(("option", "status"), [("--eval=return 1", 0), ("--no-such-option", 2)])
def test_command_whose_children_would_be_forgotten(option: str, status: int) -> None:
    """Ours: a program may start it with SIGCHLD ignored, and a shell with `trap '' CHLD`."""
    ignoring = """if True:
        import os, signal, sys
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
    """
    command = [sys.executable, "-c", ignoring, "-m", "kosmo_lua", "integrations:lua", option]
    done = subprocess.run(command, check=False, timeout=60)  # noqa: S603  # our own
    assert done.returncode == status
