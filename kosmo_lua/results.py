"""Result and CallResult: what a run and a call give back, and their JSON envelopes, of one family."""

import json
from typing import Any, Literal, NamedTuple

from kosmo_lua.errors import CODES, SIGNALS, Effect
from kosmo_lua.values import Json, JsonObject

Access = Literal["read", "write"]

KEPT = 1000
"""So many rejected events are listed; all of them are counted."""

Kind = Literal[
    "usage",
    "syntax",
    "runtime",
    "cpu_limit",
    "wall_limit",
    "memory_limit",
    "output_limit",
    "result_limit",
    "call_limit",
    "interrupted",
    "crash",
    "internal",
]
"""What kind of failure ended a run."""


class ErrorInfo(NamedTuple):
    """Why a run failed, field by field.

    `code` is stable and always kosmo's own; what a script put into an error table is in `details`.
    """

    code: str
    type: Kind
    function: str | None = None
    status: int | None = None
    retryable: bool = False
    effect: Effect = "none"
    hint: str | None = None
    file: str | None = None
    line: int | None = None
    traceback: str | None = None
    details: Json = None


class CallError(NamedTuple):
    """Why a call failed."""

    code: str
    message: str


Reason = Literal["rate", "retry"]
"""Why a call waits: for the rate limit of the service, or before it tries again."""


class Retry(NamedTuple):
    """Why and how long a call waited before it sent a request. `status` is that of the answer before."""

    reason: Reason
    waited_ms: float
    status: int | None = None


class Call(NamedTuple):
    """One call of an integration's function.

    `effect`: none (nothing left the machine), sent (the service answered) or unknown. `status` is the last
    HTTP status, `attempts` the number of requests. `events`: how many a request of a batch held, else None.
    """

    function: str
    account: str
    access: Access
    effect: Effect = "none"
    status: int | None = None
    attempts: int = 0
    duration_ms: float = 0.0
    error: CallError | None = None
    retries: tuple[Retry, ...] = ()
    events: int | None = None

    @property
    def wrote(self) -> bool:
        """Whether something may have changed at the service."""
        # Accepted is what was answered with a 2xx, also when the answer was not what it should be.
        success = self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  # HTTP's range
        accepted = self.effect == "sent" and (success or self.error is None)
        return self.access == "write" and (accepted or self.effect == "unknown")


class CallTotals(NamedTuple):
    """How many calls a run made, however many of them the log keeps."""

    total: int = 0
    reads: int = 0
    writes: int = 0
    failed: int = 0
    unknown: int = 0
    wrote: int = 0
    """Writes that were accepted, or may have been."""


class Rejection(NamedTuple):
    """An event that was not accepted: its place in its batch, counted from 1, its ID, and why."""

    index: int  # type: ignore[assignment]  # a tuple has a method of that name, which nobody needs here
    id: str
    code: str
    message: str


class Delivery(NamedTuple):
    """What became of the events that batches took: all of them, or those of one batch.

    `queued` = `accepted` + `rejected_count` + `unknown` (their requests had no answer) + `unsent` (the run
    ended before). `rejected` lists the first 1,000. `bytes` are those of the events in all `requests`.
    """

    queued: int = 0
    accepted: int = 0
    rejected: tuple[Rejection, ...] = ()
    rejected_count: int = 0
    unknown: int = 0
    unsent: int = 0
    requests: int = 0
    bytes: int = 0

    def plus(self, more: "Delivery") -> "Delivery":
        """Return the sum with what became of the events of another request."""
        room = KEPT - len(self.rejected)
        return Delivery(
            self.queued,
            self.accepted + more.accepted,
            (*self.rejected, *more.rejected[:room]) if more.rejected and room else self.rejected,
            self.rejected_count + more.rejected_count,
            self.unknown + more.unknown,
            self.unsent,
            self.requests + more.requests,
            self.bytes + more.bytes,
        )

    def closed(self, queued: int) -> "Delivery":
        """Return it for so many events that were taken: those that are nowhere else were not sent."""
        known = self.accepted + self.rejected_count + self.unknown
        return self._replace(queued=queued, unsent=queued - known)


class PlannedCall(NamedTuple):
    """A write that a dry run has not made."""

    function: str
    account: str
    arguments: JsonObject


class Meta(NamedTuple):
    """Facts about a run. `waited_ms`: what its calls have waited for rate limits, added up."""

    run_id: str
    waited_ms: float = 0.0
    permission_bypassed: bool = False
    dry_run: bool = False
    calls: CallTotals = CallTotals()


class Result(NamedTuple):
    """The outcome of a run. `to_json()` is what `--json` prints; the fields are the same.

    `output` is what was printed, its lines joined by newlines. `result` is the script's return value: None
    for none, the value for one, a list for several. `memory_usage` is the peak in bytes. `plan` has the
    writes that a dry run has not made, in order; it is None when it was no dry run.
    """

    success: bool
    meta: Meta
    output: str = ""
    result: Json = None
    error: str | None = None
    error_info: ErrorInfo | None = None
    warnings: tuple[str, ...] = ()
    execution_time_ms: float = 0.0
    memory_usage: int = 0
    call_log: tuple[Call, ...] = ()
    delivery: Delivery | None = None
    plan: tuple[PlannedCall, ...] | None = None
    schema_version: int = 1

    @property
    def exit_status(self) -> int:
        """The exit status of the `kosmo` command for this result."""
        return exit_status(self.error_info, wrote=bool(self.meta.calls.wrote))

    def to_dict(self) -> JsonObject:
        """Return the envelope as plain values, in the order in which it is printed."""
        middle = ("output", "result", *_ERROR, "execution_time_ms", "memory_usage")
        order = (*_HEAD, *middle, "call_log", "delivery", "plan", "meta")
        return {name: plain(getattr(self, name)) for name in order}

    def to_json(self) -> str:
        """Return the envelope as one JSON document."""
        return to_text(self.to_dict())


class CallResult(NamedTuple):
    """The outcome of one call without a script. `to_json()` is what `integrations:call --json` prints.

    `data` is what the function returned; in a dry run it is `{"request": ...}`, what would have been sent.
    `function` and `account` are None when the command line did not come as far as to name them.
    """

    success: bool
    meta: Meta
    function: str | None = None
    account: str | None = None
    data: Json = None
    error: str | None = None
    error_info: ErrorInfo | None = None
    warnings: tuple[str, ...] = ()
    execution_time_ms: float = 0.0
    call_log: tuple[Call, ...] = ()
    schema_version: int = 1

    @classmethod
    def of(cls, run: Result, **own: Json) -> "CallResult":
        """Make it of the result of a run that made this one call, and of its own fields."""
        shared = {name: getattr(run, name) for name in Result._fields if name in cls._fields}
        return cls(**shared, **own)  # type: ignore[arg-type]  # `own` is function, account, data

    @property
    def exit_status(self) -> int:
        """The exit status of the `kosmo` command for this result."""
        return exit_status(self.error_info, wrote=bool(self.meta.calls.wrote))

    def to_dict(self) -> JsonObject:
        """Return the envelope as plain values, in the order in which it is printed."""
        middle = ("function", "account", "data", *_ERROR, "execution_time_ms")
        return {name: plain(getattr(self, name)) for name in (*_HEAD, *middle, "call_log", "meta")}

    def to_json(self) -> str:
        """Return the envelope as one JSON document."""
        return to_text(self.to_dict())


_HEAD = ("schema_version", "success")
_ERROR = ("error", "error_info", "warnings")


def exit_status(info: ErrorInfo | None, *, wrote: bool = False) -> int:
    """Return the exit status of the command for an error. `wrote`: something may have changed already."""
    if info is None:
        return 0
    if info.code == "interrupted":
        details = info.details if isinstance(info.details, dict) else {}
        return SIGNALS.get(str(details.get("signal")), CODES["interrupted"].exit_status)
    if wrote and info.retryable:
        # A second run would write again what this one already wrote.
        return CODES["partial"].exit_status
    return CODES[info.code].exit_status


def to_text(document: JsonObject) -> str:
    """Return a document as it is printed."""
    return json.dumps(document, ensure_ascii=False, indent=2)


def plain(value: Any) -> Json:  # noqa: ANN401  # the fields of a record
    """Return a record as an object, and a tuple of records as a list."""
    if isinstance(value, tuple):
        names = getattr(value, "_fields", None)
        if names is None:
            return [plain(item) for item in value]
        return {name: plain(item) for name, item in zip(names, value, strict=True)}
    json_value: Json = value
    return json_value
