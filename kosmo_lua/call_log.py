"""The call log of a run: calls on their way, and those that have ended."""

import time
from typing import NamedTuple

from kosmo_lua.errors import Effect
from kosmo_lua.results import Access, Call, CallError, CallTotals, Retry

KEPT = 500
"""The call log keeps so many of the first calls, so many of the last, and every one that failed."""


class Step(NamedTuple):
    """How far the work on a call is, in the words of who does it: `done`, of `total` if that is known."""

    done: float
    total: float | None
    message: str | None


class OpenCall:
    """A call without an answer."""

    def __init__(  # noqa: PLR0917  # the fields of the event
        self,
        number: int,
        function: str,
        account: str,
        access: Access,
        arguments: str | None,
        events: int | None,
    ) -> None:
        self.number = number
        self.function = function
        self.account = account
        self.access: Access = access
        self.arguments = arguments
        self.events = events
        self.started = time.perf_counter()
        self.sent = 0
        self.effect: Effect = "none"
        """What is known of what it has sent."""
        self.status: int | None = None
        self.retries: list[Retry] = []
        self.waited_at: list[float] = []
        """When each wait began."""
        self.resumes = 0.0
        """When the last one ends."""
        self.step: Step | None = None
        """The last one that was told."""
        self._waits = False

    def sends(self) -> None:
        """A request leaves: until the answer is recorded nobody knows what became of it."""
        self.sent += 1
        self.effect, self.status, self._waits = "unknown", None, False

    def waits(self, wait: Retry, effect: Effect) -> None:
        """Begin to wait, now, and maybe not for the first time before the same request."""
        now = time.perf_counter()
        self.effect, self.status = effect, wait.status
        self.resumes = now + wait.waited_ms / 1000
        if self._waits:
            last = self.retries.pop()
            waited = round(last.waited_ms + wait.waited_ms, 1)
            self.retries.append(last._replace(waited_ms=waited))
            return
        self._waits = True
        self.retries.append(wait)
        self.waited_at.append(now)

    def ended(
        self,
        effect: Effect,
        status: int | None,
        attempts: int,
        duration_ms: float,
        error: CallError | None,
    ) -> Call:
        """Return what the log says of it."""
        retries = tuple(self.retries)
        facts = (effect, status, attempts, duration_ms, error, retries, self.events)
        return Call(self.function, self.account, self.access, *facts)

    def cut_wait(self) -> float:
        """End a wait that the end of the run has cut.

        Returns the milliseconds that it did not wait for a rate limit.
        """
        if not self._waits:
            return 0.0
        last = self.retries.pop()
        left = round(max(self.resumes - time.perf_counter(), 0.0) * 1000, 1)
        waited = round(max(last.waited_ms - left, 0.0), 1)
        self.retries.append(last._replace(waited_ms=waited))
        return last.waited_ms - waited if last.reason == "rate" else 0.0

    def cut(self) -> Call:
        """Return what the log says of it when the run has ended first."""
        error = CallError("interrupted", "the run ended before the call returned")
        duration = round((time.perf_counter() - self.started) * 1000, 1)
        return self.ended(self.effect, self.status, self.sent, duration, error)


class CallLog:
    """The calls of a run, in the order in which they ended, in bounded memory."""

    def __init__(self) -> None:
        self._writes = self._wrote = self._unknown = self._failures = self._total = 0
        self._first: list[Call] = []
        self._failed: list[Call] = []
        self._last: list[Call] = []

    def add(self, call: Call) -> None:
        """Log a call that ended."""
        if len(self._first) < KEPT:
            self._first.append(call)
        else:
            self._last.append(call)
            self._drop_oldest()
        self._total += 1
        self._failures += call.error is not None
        self._unknown += call.effect == "unknown"
        if call.access == "write":
            self._writes += 1
            self._wrote += call.wrote

    @property
    def totals(self) -> CallTotals:
        """How many calls there were."""
        reads = self._total - self._writes
        counts = (self._writes, self._failures, self._unknown, self._wrote)
        return CallTotals(self._total, reads, *counts)

    def _drop_oldest(self) -> None:
        if len(self._last) > 2 * KEPT:
            dropped, self._last = self._last[:-KEPT], self._last[-KEPT:]
            self._failed += [call for call in dropped if call.error or call.effect == "unknown"]

    def calls(self) -> tuple[Call, ...]:
        """Return the calls that are kept."""
        dropped = self._last[:-KEPT]
        failed = [call for call in dropped if call.error or call.effect == "unknown"]
        return (*self._first, *self._failed, *failed, *self._last[-KEPT:])
