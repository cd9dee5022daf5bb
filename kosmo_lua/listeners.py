"""Listeners: who hears of a run while it goes on. What only some of them need is loaded for them."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # start-up
    from kosmo_lua.call_log import OpenCall, Step
    from kosmo_lua.progress import Gauge, Progress
    from kosmo_lua.results import Call, Retry
    from kosmo_lua.run_events import RunEvent, Teller

FIRST, EVERY = 1.0, 0.1
"""Seconds after which progress is told, and then again."""

NEVER = 3600.0
"""Seconds that are longer than anybody waits."""

T = TypeVar("T")


class Listeners:
    """Those of one run; see `Kosmo.run`. What one of them raises ends the run: it is kept in `failure`."""

    def __init__(
        self,
        on_output: Callable[[str], None] | None = None,
        on_event: "Callable[[RunEvent], None] | None" = None,
        on_progress: "Callable[[Progress], None] | None" = None,
    ) -> None:
        self.failure: BaseException | None = None
        self._on_output = on_output
        self._on_event = on_event
        self._on_progress = on_progress
        self._teller: Teller | None = None
        self._gauge: Gauge | None = None

    def begin(self, run_id: str, started: float) -> None:
        """The run begins; it was started at this time of `time.perf_counter()`."""
        self._started = started
        self._due = started + FIRST
        if self._on_event:
            from kosmo_lua.run_events import Teller  # noqa: PLC0415  # only where somebody listens

            on_event = self._on_event
            self._teller = Teller(lambda event: self._tell(on_event, event), started)
            self._teller.begins(run_id)

    def printed(self, text: str) -> None:
        """The script has printed a text."""
        if self._on_output:
            self._tell(self._on_output, text)
        if self._teller:
            self._teller.printed(text)

    def warned(self, sentence: str) -> None:
        """There is a warning."""
        if self._teller:
            self._teller.warned(sentence)

    def waits(self, call: "OpenCall", wait: "Retry") -> None:
        """A call begins to wait."""
        if self._teller:
            self._teller.waits(call, wait)

    def steps(self, call: "OpenCall", step: "Step") -> None:
        """The work on a call has gone on."""
        if self._teller:
            self._teller.steps(call, step)

    def ended(self, call: "OpenCall", entry: "Call") -> None:
        """A call has ended."""
        if self._teller:
            self._teller.ended(call, entry)

    def progress_due(self) -> float:
        """Return in how many seconds somebody wants to know how far the run is."""
        return self._due - time.perf_counter() if self._on_progress else NEVER

    def progress(
        self, ended: int, running: "Iterable[OpenCall]", *, queued: int, accepted: int
    ) -> None:
        """Tell how far the run is; see `Gauge.read`."""
        if self._on_progress is None:
            return
        from kosmo_lua.progress import Gauge  # noqa: PLC0415  # only for a run that takes its time

        self._gauge = self._gauge or Gauge(self._started)
        reading = self._gauge.read(ended, running, queued=queued, accepted=accepted)
        self._tell(self._on_progress, reading)
        self._due = time.perf_counter() + EVERY

    def _tell(self, listener: Callable[[T], None], told: T) -> None:
        try:
            listener(told)
        except BaseException as error:
            # The script may catch it; the caller shall get it all the same.
            self.failure = error
            raise
