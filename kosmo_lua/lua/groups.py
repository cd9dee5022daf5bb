"""Groups: the process groups that a child has started, as it and its supervisor know them."""

import os
import signal
from contextlib import suppress

STARTING = 1.0
"""Seconds that a process which is being started has to become known, before its child is killed."""


class Groups:
    """MCP servers and commands that have not ended. They are in sessions of their own, and would stay."""

    def __init__(self) -> None:
        self.running = set[int]()
        self._starting = 0

    @property
    def is_starting(self) -> bool:
        """Whether a process may be there of which nobody could say which it is."""
        return self._starting > 0

    def heard(self, group: int | None, *, running: bool) -> None:
        """Note that a group was started, or has ended; None: that one is about to start, or known by now."""
        if group is None:
            self._starting += 1 if running else -1
        elif running:
            self.running.add(group)
        else:
            self.running.discard(group)

    def end(self) -> None:
        """End all of them."""
        for group in [*self.running]:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        self.running.clear()
