"""Forks the process in which scripts run. Only for a process without threads: a fork copies their locks.

Start-up: only what both sides need is loaded before the fork. Lua is loaded by the child and the supervisor's
part by the parent, at the same time.
"""

import mmap
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kosmo_lua.errors import UsageError
from kosmo_lua.lua.child import Child, Work, be_child
from kosmo_lua.lua.limits import Meter
from kosmo_lua.lua.process import ForkedProcess, Pipes

if TYPE_CHECKING:
    from types import FrameType


def fork(work: Work) -> ForkedProcess:
    """Fork a child that does the work.

    Raises:
        OSError: the system has no room for it.
    """
    meter = Meter(memoryview(mmap.mmap(-1, Meter.SIZE)).cast("d"))
    ours, theirs = Pipes.make()
    try:
        pid = os.fork()
    except OSError:
        ours.close()
        theirs.close()
        raise
    if pid == 0:
        ours.close()
        be_child(work, Child(theirs, meter))
    theirs.close()
    return ForkedProcess(pid, ours, meter)


@contextmanager
def signals() -> Iterator[int]:
    """Turn SIGINT and SIGTERM into bytes on a pipe, the numbers; its reading end is returned.

    Raises:
        UsageError: this is not the main thread, which alone hears of signals.
    """
    if not _is_main_thread():
        message = "only the main thread of a program can fork a script's process"
        raise UsageError(message, hint='Use isolation="process".')
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.signal(number, _nothing) for number in numbers}
    try:
        yield reader
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous)
        os.close(reader)
        os.close(writer)


def _is_main_thread() -> bool:
    try:
        signal.set_wakeup_fd(signal.set_wakeup_fd(-1))
    except ValueError:
        return False
    return True


def _nothing(number: int, frame: "FrameType | None") -> None:
    """The wake-up pipe has the number already."""
