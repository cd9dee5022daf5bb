"""Command: a program of the user's own that prints a setting; it ends with all that it has started."""

import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from kosmo_lua.errors import SIGNALS, ConfigError

Tell = Callable[[int | None, bool], None]
"""Is told of a process, by the id of its group, when it was started (True) and when it has ended.

Before it is started it has no id, None, and once it is told of, or has not started, None has ended.
"""

SECONDS = 30
"""How long a command may take: somebody may have to unlock a vault."""


def words_of(command: str, place: str) -> list[str]:
    """Return the words of a command, as a shell splits them.

    Raises:
        ConfigError: it has none, or cannot be split.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    if not words or "\0" in command:
        raise _not_run(place, "it is not a command")
    return words


def printed(words: list[str], place: str, tell: Tell) -> str:
    """Run a command, without a shell, and return its first line; nothing that it prints is ever shown.

    Raises:
        ConfigError: it cannot be run, fails, takes longer than `SECONDS`, or prints nothing.
    """
    process = None
    try:
        with starting(tell):
            process = _started(words, place)
            tell(process.pid, True)
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise ConfigError(f"the command for the {place} took longer than {SECONDS} s") from None
    finally:
        if process is not None:
            _end(process)
            tell(process.pid, False)
    return _first_line(output, process.returncode, place)


@contextmanager
def starting(tell: Tell) -> Iterator[None]:
    """Start a process and tell of it before anybody ends what runs: it would stay, and nobody would know it.

    Signals that have a handler in Python, such as Ctrl-C, come at the end.
    """
    came: list[int] = []
    with ExitStack() as stack:
        stack.callback(lambda: [*map(signal.raise_signal, came)])
        for number in _handled():
            handler = signal.signal(number, lambda number, _: came.append(number))
            stack.callback(signal.signal, number, handler)
        tell(None, True)
        stack.callback(tell, None, False)
        yield


def _handled() -> list[signal.Signals]:
    if threading.current_thread() is not threading.main_thread():
        return []  # no other thread hears of signals
    known = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    return [number for number in known if callable(signal.getsignal(number))]


def _started(words: list[str], place: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603  # the user's own command, from a file of the user's own
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that all that it starts can be ended with it
        )
    except OSError as error:
        raise _not_run(place, error.strerror or "") from None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command that still runs, with all that it has started."""
    with process:
        if process.returncode is None:  # it takes too long, or Ctrl-C
            os.killpg(process.pid, signal.SIGKILL)


def _not_run(place: str, reason: str) -> ConfigError:
    return ConfigError(f"the command for the {place} cannot be run: {reason}")


def _first_line(output: bytes, status: int, place: str) -> str:
    if status:
        message = f"the command for the {place} ended with exit status {status}"
        hint = "Run it by hand to see why; its output is never shown here."
        raise ConfigError(message, hint=hint)
    lines = output.decode("utf-8", "replace").splitlines()
    if not lines or not lines[0].strip():
        raise ConfigError(f"the command for the {place} printed nothing")
    return lines[0].strip()
