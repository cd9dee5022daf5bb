"""Forks the process in which scripts run. Only for a process without threads: a fork copies their locks.

Start-up: only what both sides need is loaded before the fork. Lua is loaded by the child and the supervisor's
part by the parent, at the same time.
"""

import mmap
import os

from kosmo_lua.lua.child import Child, Work, be_child
from kosmo_lua.lua.limits import Meter
from kosmo_lua.lua.process import ForkedProcess, Pipes


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
