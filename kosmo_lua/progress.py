"""Progress: how far a run has come, as often as somebody can look."""

import time
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from kosmo_lua.call_log import OpenCall, Step
from kosmo_lua.results import Reason

_WINDOW = 50
"""Readings over which the rate is the average: five seconds."""


class Waiting(NamedTuple):
    """A call that waits, and for how many seconds more."""

    function: str
    seconds: float


class Working(NamedTuple):
    """A call on which somebody works, and how far that is."""

    function: str
    step: Step


class Progress(NamedTuple):
    """How far a run has come.

    `calls` have ended, `per_second` of late; `in_flight` have not, among them those that wait: `limited` for
    a rate limit, `retrying` before they try again, the longest wait first. Of the events that batches took,
    `queued`, so many are `accepted`. `seconds` is the time since the start. `working` are the calls of MCP
    servers that tell how far they are.
    """

    seconds: float
    calls: int
    per_second: float
    in_flight: int
    limited: tuple[Waiting, ...]
    retrying: tuple[Waiting, ...]
    queued: int
    accepted: int
    working: tuple[Working, ...] = ()


class Gauge:
    """Reads the progress of a run that began at `started`, of `time.perf_counter()`."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._readings = deque([(started, 0)], _WINDOW)

    def read(
        self, ended: int, running: Iterable[OpenCall], *, queued: int, accepted: int
    ) -> Progress:
        """Return the progress: so many calls have ended, and these have not."""
        now, calls = time.perf_counter(), [*running]
        before, then = self._readings[0]
        self._readings.append((now, ended))
        return Progress(
            now - self._started,
            ended,
            (ended - then) / max(now - before, 0.001),
            len(calls),
            _waiting(calls, "rate", now),
            _waiting(calls, "retry", now),
            queued,
            accepted,
            tuple(Working(call.function, call.step) for call in calls if call.step),
        )


def _waiting(calls: list[OpenCall], reason: Reason, now: float) -> tuple[Waiting, ...]:
    waiting = (
        Waiting(call.function, call.resumes - now)
        for call in calls
        if call.resumes > now and call.retries[-1].reason == reason
    )
    return tuple(sorted(waiting, key=lambda each: -each.seconds))
