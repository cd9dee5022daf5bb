"""What the tests share: a clean environment, and the ways to run a script."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

from kosmo_lua import Kosmo, Result
from kosmo_lua.__main__ import RUNS
from kosmo_lua.cli import run as run_command
from kosmo_lua.cli.call import call_command as integration_call
from kosmo_lua.cli.mcp.call import call_command as server_call
from kosmo_lua.integration import Api, Credentials, Field, Integration, JsonObject, Params
from kosmo_lua.values import Json

pytest_plugins = [
    "coding_agent",
    "kosmo_lua.testing",
    "library_server",
    "posthog_service",
    "pseudo_terminal",
    "raw_server",
    "raw_service",
]

ROOT = Path(__file__).parent.parent
COMMAND = (sys.executable, "-m", "kosmo_lua")

TELLING_FORKS = """if True:
    import os, sys
    fork = os.fork
    def told():
        pid = fork()
        if pid:
            print(pid, file=sys.stderr, flush=True)
        return pid
    os.fork = told
    from kosmo_lua.__main__ import main
    main()
"""
"""A program that runs the command, and tells each process that it forks on stderr."""

INTERRUPTED = {
    signal.SIGINT: (130, "stopped by Ctrl-C"),
    signal.SIGTERM: (143, "stopped by SIGTERM"),
    signal.SIGHUP: (129, "stopped by SIGHUP"),
}
"""The exit status of each signal that ends a run, and what is said."""

for number in INTERRUPTED:
    # A shell ignores some for what runs in the background, and what a test starts would inherit that.
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

API = ROOT.parent / "shared" / "api"
"""Where continuous integration has the services' official schemas; a clone has no such folder."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run half as many tests again at once as there are CPUs: many wait."""
    return max((os.cpu_count() or 1) * 3 // 2, 2)


@pytest.fixture(autouse=True)
def clean_environ(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No variable or file of the developer's decides what a test does."""
    for name in os.environ:
        if name.startswith(("KOSMO_", "SEGMENT_", "POSTHOG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KOSMO_HOME", str(tmp_path_factory.getbasetemp() / "no-such-home"))
    monkeypatch.setenv("KOSMO_RETRY_BUDGET", "0")  # a test that is about retries says so


@pytest.fixture
def retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are tried again, as they are where nobody says otherwise."""
    monkeypatch.delenv("KOSMO_RETRY_BUDGET")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's own."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("KOSMO_HOME", str(home))
    return home


class ScriptFailed(Exception):  # reads as what happened
    """A script ended with an error."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.error)
        assert result.error_info is not None
        assert result.error is not None
        self.code = result.error_info.code
        self.message = result.error
        self.result = result


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run Lua code without any account, and return its Result."""
    return Kosmo(environ={}).run


@pytest.fixture
def evaluate(run: Callable[..., Result]) -> Callable[[str], Json]:
    """Run Lua code and return its result; a failure is raised as ScriptFailed."""

    def evaluate(code: str) -> Json:
        result = run(code)
        if not result.success:
            raise ScriptFailed(result)
        return result.result

    return evaluate


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    status: int
    stdout: str
    stderr: str

    def json(self) -> Any:  # a parsed document
        """Parse the whole of stdout as one JSON document."""
        import json  # noqa: PLC0415  # only here

        return json.loads(self.stdout)


def spawned(folder: Path, arguments: Sequence[str], stdin: bytes, env: dict[str, str]) -> Finished:
    """Run the command `kosmo` in a folder, as a process of its own."""
    done = subprocess.run(  # noqa: S603  # our own command
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        cwd=folder,
        env={**os.environ, **env},
        timeout=60,
        check=False,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def kosmo(tmp_path: Path) -> Callable[..., Finished]:
    """Run the command `kosmo` in an empty folder, and return what it printed and its exit status."""

    def kosmo(*arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> Finished:
        return spawned(tmp_path, arguments, stdin, env or {})

    return kosmo


@pytest.fixture
def here(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Run the same in this process, which has loaded all that it needs: that takes most of the time.

    A script is run in a process of its own, as always.
    """

    def here(*arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> Finished:
        if {*RUNS} & {*arguments}:
            return spawned(tmp_path, arguments, stdin, env or {})
        with pytest.MonkeyPatch.context() as patch, TemporaryFile() as piped, _handlers_kept():
            piped.write(stdin)
            piped.seek(0)
            patch.chdir(tmp_path)
            patch.setattr("sys.stdin", TextIOWrapper(piped, encoding="utf-8"))
            patch.setattr("sys.argv", ["kosmo", *arguments])
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            for command in (integration_call, server_call):
                vars(command).pop("_catalog", None)  # it serves one command line
            capfd.readouterr()
            return Finished(run_command([*arguments]), *capfd.readouterr())

    return here


@contextlib.contextmanager
def _handlers_kept() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in INTERRUPTED}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start the command `kosmo` in an empty folder, or with `program` another one; none outlives the test."""
    with contextlib.ExitStack() as stack:

        def start(
            *arguments: str,
            program: Sequence[str] = COMMAND,
            stdin: int = subprocess.DEVNULL,
            stdout: int = subprocess.PIPE,
            stderr: int = subprocess.PIPE,
            env: dict[str, str] | None = None,
        ) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(  # noqa: S603  # our own command
                [*program, *arguments],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                cwd=tmp_path,
                env={**os.environ, **(env or {})},
                start_new_session=True,  # a process group of its own, for signals to the group
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def poll(condition: Callable[[], object], *, seconds: float = 20) -> None:
    """Wait until the condition holds; fail when it does not within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


VOLATILE = {
    "run_id": "RUN",
    "execution_time_ms": 1.0,
    "duration_ms": 1.0,
    "memory_usage": 1,
    "message_id": "UUID",
}


def stable(document: Any) -> Any:
    """Replace in an envelope what differs from run to run."""
    if isinstance(document, list):
        return [stable(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {key: VOLATILE.get(key, stable(value)) for key, value in document.items()}


class _Text(Params):
    """What `echo.say` takes."""

    text: str = Field(description="Anything.", examples=["hello"])


echo = Integration(
    "echo",
    title="Echo",
    summary="Says what it is told; it needs no service.",
    credentials=Credentials,
    api=Api[Credentials],
)
"""An integration without a service, for what has nothing to do with HTTP."""


@echo.read()
def say(api: Api[Credentials], text: _Text) -> JsonObject:
    """Return the text.

    Returns: `{text = "..."}`.
    """
    del api
    return {"text": text.text}


@echo.write()
def change(api: Api[Credentials], text: _Text) -> JsonObject:
    """Return the text, as a write.

    Returns: `{text = "..."}`.
    """
    del api
    return {"text": text.text}


@echo.read()
def fail(api: Api[Credentials], text: _Text) -> JsonObject:
    """Break, as a defect would.

    Returns: nothing.
    """
    del api
    raise LookupError(text.text)
