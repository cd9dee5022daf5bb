"""Exchange: what one call has sent, and what became of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from kosmo_lua.errors import Effect, Interrupted
from kosmo_lua.results import Reason

READS = ("GET", "HEAD")


class Identity(Protocol):
    """Names what a call sends, so that sending it again is harmless."""

    def new_id(self) -> str:
        """Return a UUID that nobody else uses."""

    def now(self) -> str:
        """Return the time of what is sent, as ISO 8601 in UTC."""


class Watch(Protocol):
    """Is told what a call does while it does it, and can end its waiting."""

    def sends(self) -> None:
        """A request is about to leave the machine."""

    def waits(self, seconds: float, reason: Reason, status: int | None, effect: Effect) -> None:
        """The call waits, after an answer with this status; the effect is what is known so far."""

    def progresses(self, done: float, total: float | None, message: str | None) -> None:
        """Whoever works on the call says how far that is, in words without secrets."""


class Patience:
    """How long one request waits because the service failed, or asked for it: from its first failure on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    def bears(self, seconds: float) -> bool:
        """Whether a wait of so many seconds from now on is not too long."""
        now = time.monotonic()
        if self._end is None:
            self._end = now + self._seconds
        return now + seconds <= self._end


@dataclass(eq=False)
class Exchange:
    """What a call has sent so far. The call path makes one for each call; the call log shows it.

    `sleep` waits for so many seconds, maybe none, and returns False when the run has ended meanwhile.
    """

    identity: Identity
    watch: Watch
    sleep: Callable[[float], bool]
    writes: bool = False
    """Whether the call is a write: then only requests that may change something count."""
    dry_run: bool = False
    """Whether its first request is shown instead of sent."""
    retry_budget: float = 0.0
    """Seconds for which a request may be tried again after its first failure."""
    effect: Effect = "none"
    status: int | None = None
    attempts: int = 0
    tries: int = 0
    """How often the last request was sent: each time the same."""
    warnings: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Count a request that is about to leave.

        Raises:
            Interrupted: the run has ended; nothing more is sent.
        """
        if not self.sleep(0.0):
            raise Interrupted
        self.attempts += 1
        self.tries += 1
        self.watch.sends()

    def pause(self, seconds: float, reason: Reason) -> None:
        """Tell that the call waits, and wait.

        Raises:
            Interrupted: the run has ended; nothing more is sent.
        """
        self.watch.waits(seconds, reason, self.status, self.effect)
        if not self.sleep(seconds):
            raise Interrupted

    def note(self, method: str, effect: Effect, status: int | None = None) -> None:
        """Record the outcome of a request; once unknown, the effect of the call stays unknown."""
        self.status = status
        if self.counts(method) and effect != "none" and self.effect != "unknown":
            self.effect = effect

    def counts(self, method: str) -> bool:
        """Whether the effect of the call is that of such a request: a write's is not that of its reads."""
        return not self.writes or method not in READS

    def settle(self, before: Effect = "none") -> None:
        """The service has what was sent, whatever became of earlier tries: they were the same.

        `before` is what was known of the call before the first of them.
        """
        self.effect = "unknown" if before == "unknown" else "sent"
