"""The clocks that count Lua's time: read by the script's side, and from outside by who watches it.

Where the CPU clock of another thread or process cannot be read (macOS), the wall clock takes its place: then
Lua's time is all the time outside calls, which is never less.
"""

import os
import sys
import threading
import time
from collections.abc import Callable

Clock = Callable[[], float]


def of_process(pid: int) -> Clock:
    """Return the clock of a child's main thread, as `own_thread` shows it there; 0 once it has ended.

    Not that of the whole process: its other threads make calls meanwhile. Linux shows another process's
    thread in a file only, a few milliseconds late.
    """
    if sys.platform != "linux":
        return time.monotonic
    try:
        file = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # a kernel without it, or a child that has ended
        # The kernel's id of a process's CPU clock, as clock_getcpuclockid(3) computes it.
        return lambda: _read((~pid << 3) | 2)
    return _Schedstat(file).seconds


class _Schedstat:
    """The first number of the file: nanoseconds on a CPU."""

    def __init__(self, file: int) -> None:
        self._file = file

    def seconds(self) -> float:
        try:
            return int(os.pread(self._file, 100, 0).split()[0]) / 1e9
        except (OSError, IndexError):
            return 0.0

    def __del__(self) -> None:
        os.close(self._file)


def own_thread() -> Clock:
    """Return the clock of this thread, for the script's side."""
    return time.thread_time if sys.platform == "linux" else time.monotonic


def thread() -> Clock:
    """Return the clock of the calling thread, for another one to read; 0 once it has ended."""
    if sys.platform != "linux":
        return time.monotonic
    clock = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: _read(clock)


def _read(clock: int) -> float:
    try:
        return time.clock_gettime(clock)
    except OSError:
        return 0.0
