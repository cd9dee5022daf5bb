"""What a run tells while it goes on, to who listens with `on_event`."""

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from kosmo_lua.call_log import OpenCall, Step
from kosmo_lua.errors import Effect
from kosmo_lua.results import Access, Call, CallError, Reason, Retry, plain
from kosmo_lua.values import JsonObject


class RunStarted(NamedTuple):
    """The script begins to run."""

    run_id: str
    type: Literal["start"] = "start"


class Printed(NamedTuple):
    """The script has printed a text."""

    text: str
    type: Literal["print"] = "print"


class Warned(NamedTuple):
    """There is a warning; it is in the envelope, too."""

    message: str
    type: Literal["warning"] = "warning"


class CallWaits(NamedTuple):
    """A call begins to wait: for the rate limit of its service, or before it tries again.

    `number` tells the calls of a run apart. `started_ms` is when the wait began, `wait_ms` how long it will
    be, in milliseconds; `status` is that of the answer before.
    """

    number: int
    function: str
    account: str
    reason: Reason
    started_ms: float
    wait_ms: float
    status: int | None
    type: Literal["wait"] = "wait"


class CallSteps(NamedTuple):
    """The work on a call has gone on, as an MCP server tells: `done`, of `total` if that is known."""

    number: int
    function: str
    account: str
    done: float
    total: float | None
    message: str | None
    type: Literal["step"] = "step"


class Wait(NamedTuple):
    """A wait of a call, as in the call log, and when it began."""

    reason: Reason
    waited_ms: float
    status: int | None
    started_ms: float


class CallEnded(NamedTuple):
    """A call has ended: its entry of the call log, and when it began, in milliseconds of the run.

    A call that the end of the run has cut off is told then, with the error `interrupted`.
    """

    number: int
    started_ms: float
    function: str
    account: str
    access: Access
    effect: Effect
    status: int | None
    attempts: int
    duration_ms: float
    error: CallError | None
    retries: tuple[Wait, ...]
    events: int | None
    type: Literal["call"] = "call"


RunEvent = RunStarted | Printed | Warned | CallWaits | CallSteps | CallEnded
"""One of the things that happen in a run; `type` says which."""


def to_dict(event: RunEvent) -> JsonObject:
    """Return an event as plain values, `type` first: a line of `--output jsonl`."""
    return {"type": event.type, **{name: plain(value) for name, value in event._asdict().items()}}


class Teller:
    """Makes the events of a run that began at `started`, of `time.perf_counter()`."""

    def __init__(self, tell: Callable[[RunEvent], None], started: float) -> None:
        self._tell = tell
        self._started = started

    def begins(self, run_id: str) -> None:
        """Tell that the run begins."""
        self._tell(RunStarted(run_id))

    def printed(self, text: str) -> None:
        """Tell that the script has printed a text."""
        self._tell(Printed(text))

    def warned(self, sentence: str) -> None:
        """Tell that there is a warning."""
        self._tell(Warned(sentence))

    def waits(self, call: OpenCall, wait: Retry) -> None:
        """Tell that a call waits from now on."""
        reason, milliseconds, status = wait
        now = self._milliseconds(time.perf_counter())
        names = (call.number, call.function, call.account)
        self._tell(CallWaits(*names, reason, now, milliseconds, status))

    def steps(self, call: OpenCall, step: Step) -> None:
        """Tell how far the work on a call is."""
        self._tell(CallSteps(call.number, call.function, call.account, *step))

    def ended(self, call: OpenCall, entry: Call) -> None:
        """Tell that a call has ended."""
        waits = tuple(
            Wait(*retry, self._milliseconds(began))
            for retry, began in zip(call.retries, call.waited_at, strict=True)
        )
        facts = entry._replace(retries=())._asdict() | {"retries": waits}
        self._tell(CallEnded(call.number, self._milliseconds(call.started), **facts))

    def _milliseconds(self, moment: float) -> float:
        return round((moment - self._started) * 1000, 1)
