"""The worker of the command, forked before anything else: it loads Lua while the command loads click.

What a script needs that calls an integration takes longer to load than all the rest. So the worker looks
whether the code on the command line names one, and begins with that, until it is told what to do.
"""

import gc
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from kosmo_lua.lua.fork import fork
from kosmo_lua.lua.stop import heeded
from kosmo_lua.workers import work

if TYPE_CHECKING:  # only named here
    from kosmo_lua.lua.child import Child
    from kosmo_lua.lua.process import ForkedProcess

_CALLS = tuple(
    f"kosmo_lua.{name}"
    for name in ("catalog", "http", "integration", "accounts", "policy", "calls")
)
"""What a call of an integration needs, in parts that do not take long each."""

_NAMED = ("app.integrations.", "app.mcp.")
"""What code mentions that calls an integration or a server; one that lists them stops before the last dot."""

_LARGEST = 1 << 20
"""So much of a file is looked at."""

_worker: "ForkedProcess | None" = None


def prefork(arguments: Sequence[str]) -> None:
    """Fork the worker for a command line, in a process that has no threads; none if the system refuses."""
    global _worker  # noqa: PLW0603  # there is one in a process
    # Where a program has it ignored, nobody is told how a child has ended.
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # A signal must not interrupt the child before it has handlers of its own.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, heeded())
    try:
        _worker = fork(lambda child: _prepare(child, arguments, before))
    except OSError:  # who runs the script tries again, and says so
        _worker = None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def take() -> "ForkedProcess | None":
    """Return the worker to whoever has scripts for it; None if there is none."""
    global _worker
    taken, _worker = _worker, None
    return taken


def discard() -> None:
    """End a worker that nobody has taken: it holds stdout, for whose end others wait."""
    if worker := take():
        worker.end()


def _prepare(child: "Child", arguments: Sequence[str], mask: "set[signal.Signals | int]") -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    from kosmo_lua.lua import clocks, namespace  # noqa: F401, PLC0415  # after the fork
    from kosmo_lua.lua.sandbox import Sandbox  # noqa: PLC0415  # lupa, the same

    sandbox = Sandbox()
    if any(map(_names_one, arguments)):
        for module in _CALLS:
            if child.is_ordered:
                break
            with suppress(Exception):  # whoever needs it is told
                import_module(module)
    gc.freeze()
    gc.enable()
    work(child, sandbox)


def _names_one(argument: str) -> bool:
    """Whether an argument is code that names an integration or a server, or a file of such code."""
    code = _code(argument)
    return any(name in code for name in _NAMED)


def _code(argument: str) -> str:
    if not argument.endswith(".lua") or not os.path.isfile(argument):
        return argument
    try:
        with open(argument, "rb") as file:
            # Bytes that are no text are no reason to fail.
            return file.read(_LARGEST).decode("latin-1")
    except OSError:  # the command says so
        return ""
