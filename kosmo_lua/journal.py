"""The journal of a run: what happened, event by event, and the Result that follows from it.

A script's process may be killed at any moment, so nothing that the envelope needs lives only there: each
event is written to the journal when it happens, and the Recorder, outside, makes the Result of it.
Events are JSON lists, so that they cross a pipe as lines:

    ["print", text]
    ["call", number, function, account, access, hash of the arguments or null, events of a batch or null]
    ["send", number]                one of its requests is about to leave
    ["wait", number, milliseconds, "rate" or "retry", status of the last answer or null]
    ["answer", number, effect, status, attempts, duration_ms, [code, message] or null]
    ["delivered", what became of the events of a request, a Delivery as a dict]
    ["plan", function, account, arguments]      a write that a dry run does not make
    ["warning", sentence]
    ["end", ending]                 the last one, an Ending as a dict
"""

import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from kosmo_lua.errors import Effect, KosmoError
from kosmo_lua.results import (
    Access,
    Call,
    CallError,
    CallTotals,
    Delivery,
    ErrorInfo,
    Meta,
    PlannedCall,
    Reason,
    Rejection,
    Result,
    Retry,
)
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:
    from kosmo_lua.audit import Audit

Event = list[Json]
Record = Callable[[Event], None]

KEPT = 500
"""The call log keeps so many of the first calls, so many of the last, and every one that failed."""


PLANNED = 100_000
"""The plan of a dry run has so many writes at most."""


class Ending(NamedTuple):
    """How a script ended: with its result, or with an error."""

    result: str = "null"
    """The return value as JSON text."""
    error: str | None = None
    info: ErrorInfo | None = None
    memory: int = 0
    """The peak of the script's memory, in bytes."""

    @classmethod
    def of(cls, fields: dict[str, Any], **more: Any) -> "Ending":  # noqa: ANN401  # its own fields
        """Make an ending of its fields as JSON."""
        info = fields.get("info")
        return cls(**{**fields, **more, "info": ErrorInfo(**info) if info else None})


def failed(error: KosmoError) -> Ending:
    """Return the ending of a run that could not start."""
    facts = {name: value for name, value in error.facts().items() if name != "message"}
    kind = {"syntax_error": "syntax"}.get(error.code, error.code)
    own = kind in ("usage", "syntax", "interrupted", "internal")
    info = {**facts, "type": kind if own else "runtime"}
    return Ending.of({"error": error.message, "info": info})


class _OpenCall:
    """A call without an answer."""

    def __init__(
        self,
        function: str,
        account: str,
        access: Access,
        arguments: str | None,
        events: int | None,
    ) -> None:
        self.function = function
        self.account = account
        self.access: Access = access
        self.arguments = arguments
        self.events = events
        self.started = time.perf_counter()
        self.sent = 0
        self.retries: list[Retry] = []

    def ended(  # noqa: PLR0917  # the fields of the event
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

    def cut(self) -> Call:
        """Return what the log says of it when the run has ended first."""
        error = CallError("interrupted", "the run ended before the call returned")
        # Until the answer is recorded nobody knows what became of a request that has left.
        effect: Effect = "unknown" if self.sent else "none"
        duration = round((time.perf_counter() - self.started) * 1000, 1)
        return self.ended(effect, None, self.sent, duration, error)


class Recorder:
    """Collects the events of one run and turns them into its Result."""

    def __init__(
        self,
        *,
        started: float | None = None,
        forced: bool = False,
        dry_run: bool = False,
        on_output: Callable[[str], None] | None = None,
        audit: str | None = None,
        run_id: str | None = None,
    ) -> None:
        self.run_id = run_id or os.urandom(8).hex()
        self._audit_file = audit
        self._audit: Audit | None = None
        self._started = time.perf_counter() if started is None else started
        self._forced = forced
        self._dry_run = dry_run
        self._on_output = on_output
        self._failure: BaseException | None = None
        self._output: list[str] = []
        self._warnings: list[str] = []
        self.processes: set[int] = set()
        """The process groups that run now: a command that prints a credential."""
        self._open: dict[int, _OpenCall] = {}
        self._log = CallLog()
        self._waited = 0.0
        self._delivery = Delivery()
        self._plan: list[PlannedCall] = []
        self.queued = 0
        """The events that batches have taken; whoever watches the run sets it at its end."""
        self.ending: Ending | None = None
        self._handlers = {kind: getattr(self, f"_on_{kind}") for kind in _KINDS}

    def record(self, event: Event) -> None:
        """Take one event."""
        self._handlers[event[0]](*event[1:])  # type: ignore[index]  # its kind

    def _on_print(self, text: str) -> None:
        self._output.append(text)
        if self._on_output:
            try:
                self._on_output(text)
            except BaseException as error:
                self._failure = (
                    error  # the script may catch it; the caller shall get it all the same
                )
                raise

    def _on_warning(self, sentence: str) -> None:
        if sentence not in self._warnings:
            self._warnings.append(sentence)

    def _on_process(self, group: int, running: bool) -> None:  # noqa: FBT001  # the fields of the event
        (self.processes.add if running else self.processes.discard)(group)

    def _on_call(self, number: int, *facts: Any) -> None:  # noqa: ANN401  # the fields of the event
        self._open[number] = _OpenCall(*facts)

    def _on_send(self, number: int) -> None:
        if call := self._open.get(number):  # else it is of an earlier script of the session
            call.sent += 1

    def _on_wait(
        self, number: int, milliseconds: float, reason: Reason, status: int | None
    ) -> None:
        if call := self._open.get(number):  # as above
            call.retries.append(Retry(reason, milliseconds, status))
        if reason == "rate" and call:
            self._waited += milliseconds

    def _on_delivered(self, facts: dict[str, Any]) -> None:
        rejected = tuple(Rejection(**each) for each in facts["rejected"])
        self._delivery = self._delivery.plus(Delivery(**{**facts, "rejected": rejected}))

    def _on_plan(self, function: str, account: str, arguments: JsonObject) -> None:
        if len(self._plan) < PLANNED:
            self._plan.append(PlannedCall(function, account, arguments))
        else:
            self._on_warning(f"the plan has the first {PLANNED:,} writes; more would follow")

    def _on_answer(  # noqa: PLR0917  # the fields of the event
        self,
        number: int,
        effect: Effect,
        status: int | None,
        attempts: int,
        duration_ms: float,
        error: list[str] | None,
    ) -> None:
        call = self._open.pop(number, None)
        if call is None:  # of an earlier script of the session, which ended without it
            return
        problem = CallError(*error) if error else None
        self._ended(call.ended(effect, status, attempts, duration_ms, problem), call.arguments)

    def _ended(self, call: Call, arguments: str | None) -> None:
        self._log.add(call)
        if self._audit_file is None or (self._dry_run and call.access == "write"):
            return
        from kosmo_lua.audit import Audit  # noqa: PLC0415  # only where there is one, and a call

        self._audit = self._audit or Audit(self._audit_file)
        try:
            self._audit.write(self.run_id, call, arguments)
        except OSError as error:
            self._on_warning(f"the audit log cannot be written: {error.strerror}")

    def _on_end(self, fields: JsonObject) -> None:
        self.ending = Ending.of(fields)

    def result(self, ending: Ending) -> Result:
        """Return the Result of the run; calls without an answer were cut off by its end.

        Raises what `on_output` raised.
        """
        if self._failure:
            raise self._failure
        for call in self._open.values():
            self._ended(call.cut(), call.arguments)
            if call.events and call.sent:
                lost = Delivery(unknown=call.events, requests=call.sent)
                self._delivery = self._delivery.plus(lost)
        self._open.clear()
        delivery = self._delivery.closed(self.queued) if self.queued else None
        if delivery and delivery.accepted < delivery.queued and ending.error is None:
            ending = _not_whole(ending, delivery)
        return Result(
            success=ending.error is None,
            output="\n".join(self._output),
            result=json.loads(ending.result, object_pairs_hook=_sorted),
            error=ending.error,
            error_info=ending.info,
            warnings=tuple(self._warnings),
            execution_time_ms=round((time.perf_counter() - self._started) * 1000, 1),
            memory_usage=ending.memory,
            call_log=self._log.calls(),
            delivery=delivery,
            plan=tuple(self._plan) if self._dry_run else None,
            meta=Meta(
                self.run_id,
                waited_ms=round(self._waited, 1),
                permission_bypassed=self._forced,
                dry_run=self._dry_run,
                calls=self._log.totals,
            ),
        )


_KINDS = (
    "print",
    "warning",
    "process",
    "call",
    "send",
    "wait",
    "answer",
    "delivered",
    "plan",
    "end",
)


def _not_whole(ending: Ending, delivery: Delivery) -> Ending:
    """Return the ending of a script that came to its end, with events that were not accepted."""
    missing = delivery.queued - delivery.accepted
    message = f"{missing:,} of {delivery.queued:,} events were not accepted"
    hint = "Look at delivery for which and why; --run ID lets you run it again without sending any twice."
    unknown: Effect = "unknown" if delivery.unknown else "sent"
    info = ErrorInfo("partial", "runtime", effect=unknown, hint=hint)
    return ending._replace(error=message, info=info)


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


def _sorted(pairs: list[tuple[str, Json]]) -> JsonObject:
    """Lua keeps no order of keys; the same script should print the same document each time."""
    return dict(sorted(pairs))
