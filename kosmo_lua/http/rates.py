"""Rates: how many requests a service takes in a time, so that a loop slows down instead of failing."""

import time
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple


class Rate(NamedTuple):
    """Requests that share a limit of the service: their name, and each limit as (requests, seconds).

    Without limits it only learns them, from the answers of the service.
    """

    name: str
    limits: tuple[tuple[int, float], ...] = ()


class Limiter:
    """Keeps the requests of one account below a rate, on all threads.

    `clock` tells the time in seconds.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = rate.limits
        self._clock = clock
        self._lock = Lock()
        self._sent = deque[float](maxlen=max((count for count, _ in rate.limits), default=0))
        self._held = 0.0

    def take(self) -> tuple[float, bool]:
        """Take a place for a request now; or return in how many seconds to ask again.

        The second value says whether the service itself has asked for the wait.
        """
        with self._lock:
            now = self._clock()
            if self._held > now:
                return self._held - now, True
            free = max((self._free(*limit) for limit in self._limits), default=0.0)
            if free > now:
                return free - now, False
            self._sent.append(now)
            return 0.0, False

    def _free(self, count: int, seconds: float) -> float:
        """Return when a limit has room for one more."""
        return self._sent[-count] + seconds if len(self._sent) >= count else 0.0

    def hold(self, seconds: float) -> None:
        """Send nothing for so many seconds: the service has asked for it."""
        with self._lock:
            self._held = max(self._held, self._clock() + seconds)
