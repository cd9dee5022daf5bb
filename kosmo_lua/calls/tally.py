"""Tally: counts the requests that a script has caused, on any thread."""

from threading import Lock


class Tally:
    """A number that only grows."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.number = 0

    def add(self) -> None:
        """Count one more."""
        with self._lock:
            self.number += 1
