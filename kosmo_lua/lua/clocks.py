"""The clocks that count Lua's time: read by the script's side, and from outside by who watches it.

Where the CPU clock of another thread or process cannot be read (macOS), the wall clock takes its place: then
Lua's time is all the time outside calls, which is never less.
"""

import sys
import threading
import time
from collections.abc import Callable

Clock = Callable[[], float]


def own_process() -> Clock:
    """Return the clock of this process, for the script's side."""
    return time.process_time if sys.platform == "linux" else time.monotonic


def process(pid: int) -> Clock:
    """Return the clock of a child process, as `own_process` shows it there; 0 once it has ended."""
    if sys.platform != "linux":
        return time.monotonic
    # The kernel's id of a process's CPU clock, as clock_getcpuclockid(3) computes it.
    return lambda: _read((~pid << 3) | 2)


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
