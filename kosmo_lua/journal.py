"""The journal of a run: what happened, event by event, and the Result that follows from it.

A script's process may be killed at any moment, so nothing that the envelope needs lives only there: each
event is written to the journal when it happens, and the Recorder, outside, makes the Result of it.
Events are JSON lists, so that they cross a pipe as lines:

    ["print", text]
    ["call", number, function, account, access, hash of the arguments or null, events of a batch or null]
    ["send", number]                one of its requests is about to leave
    ["wait", number, milliseconds, "rate" or "retry", status of the last answer or null, effect so far]
    ["step", number, done, total or null, sentence or null]     how far an MCP server is with it
    ["answer", number, effect, status, attempts, duration_ms, [code, message] or null]
    ["delivered", number, what became of the events of its request, a Delivery as a dict]
                                    in a replay the number is null, and it is about a batch
    ["plan", function, account, arguments]      a write that a dry run does not make
    ["warning", sentence]
    ["process", group, running]     a program was started, or has ended: an MCP server, a command
                                    null: one is about to start, or its group is known by now
    ["ask", function, account, arguments, access]       the child waits for an answer: may it go on?
    ["end", ending]                 the last one, an Ending as a dict
"""

import json
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kosmo_lua.call_log import CallLog, OpenCall, Step
from kosmo_lua.endings import Ending, not_whole, with_lost, with_writes
from kosmo_lua.errors import Effect
from kosmo_lua.listeners import Listeners
from kosmo_lua.results import (
    Call,
    CallError,
    Delivery,
    Meta,
    PlannedCall,
    Reason,
    Rejection,
    Result,
    Retry,
)
from kosmo_lua.values import MCP_PREFIX, Json, JsonObject

if TYPE_CHECKING:
    from kosmo_lua.audit import Audit

Event = list[Json]
Record = Callable[[Event], None]


PLANNED = 100_000
"""The plan of a dry run has so many writes at most."""


class Recorder:
    """Collects the events of one run and turns them into its Result."""

    def __init__(
        self,
        *,
        started: float | None = None,
        forced: bool = False,
        dry_run: bool = False,
        listeners: Listeners | None = None,
        audit: str | None = None,
        run_id: str | None = None,
    ) -> None:
        self.run_id = run_id or os.urandom(8).hex()
        self._name = run_id
        self._audit_file = audit
        self._audit: Audit | None = None
        self._started = time.perf_counter() if started is None else started
        self._forced = forced
        self._dry_run = dry_run
        self._listeners = listeners or Listeners()
        self._output: list[str] = []
        self._warnings: list[str] = []
        self._open: dict[int, OpenCall] = {}
        self._log = CallLog()
        self._waited = 0.0
        self._delivery = Delivery()
        self._answered: dict[int, Call] = {}
        """The requests of batches that have ended, until it is known what became of their events."""
        self._effect: Effect = "none"
        """Whether a request of a batch was answered."""
        self._plan: list[PlannedCall] = []
        self.queued = 0
        """The events that batches have taken; whoever watches the run sets it at its end."""
        self.ending: Ending | None = None
        self._handlers = {kind: getattr(self, f"_on_{kind}") for kind in _KINDS}

    def record(self, event: Event) -> None:
        """Take one event."""
        self._handlers[event[0]](*event[1:])  # type: ignore[index]  # its kind

    def begin(self) -> None:
        """Tell that the run begins."""
        self._listeners.begin(self.run_id, self._started)

    def calls_a_server(self) -> bool:
        """Whether a call of an MCP server is under way."""
        return any(call.function.startswith(MCP_PREFIX) for call in self._open.values())

    def progress(self, queued: int) -> float:
        """Tell how far the run is, if it is time to; return in how many seconds to call this again.

        `queued`: the events that batches have taken so far.
        """
        left = self._listeners.progress_due()
        if left > 0:
            return left
        ended, running = self._log.totals.total, self._open.values()
        accepted = self._delivery.accepted
        self._listeners.progress(ended, running, queued=queued, accepted=accepted)
        return self._listeners.progress_due()

    def _on_print(self, text: str) -> None:
        self._output.append(text)
        self._listeners.printed(text)

    def _on_warning(self, sentence: str) -> None:
        if sentence not in self._warnings:
            self._warnings.append(sentence)
            self._listeners.warned(sentence)

    def _on_process(self, group: int, running: bool) -> None:  # noqa: FBT001  # the fields of the event
        """Forget it: only who supervises another process has to end what that has started."""

    def _on_call(self, number: int, *facts: Any) -> None:  # noqa: ANN401  # the fields of the event
        self._open[number] = OpenCall(number, *facts)

    def _on_send(self, number: int) -> None:
        if call := self._open.get(number):  # as in `_on_answer`
            call.sends()

    def _on_wait(  # the fields of the event
        self,
        number: int,
        milliseconds: float,
        reason: Reason,
        status: int | None,
        effect: Effect,
    ) -> None:
        call = self._open.get(number)
        if call is None:  # as in `_on_answer`
            return
        wait = Retry(reason, milliseconds, status)
        call.waits(wait, effect)
        self._listeners.waits(call, wait)
        if reason == "rate":
            self._waited += milliseconds

    def _on_step(self, number: int, done: float, total: float | None, message: str | None) -> None:
        if call := self._open.get(number):  # as in `_on_answer`
            call.step = Step(done, total, message)
            self._listeners.steps(call, call.step)

    def _on_delivered(self, number: int | None, facts: dict[str, Any]) -> None:
        if number is not None and self._answered.pop(number, None) is None:
            return  # of an earlier script, as an answer
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
        ended = call.ended(effect, status, attempts, duration_ms, problem)
        if ended.events:
            self._answered[number] = ended
            self._effect = "sent" if effect == "sent" else self._effect
        self._ended(call, ended)

    def _ended(self, call: OpenCall, entry: Call) -> None:
        self._log.add(entry)
        self._listeners.ended(call, entry)
        if self._audit_file is None or (self._dry_run and entry.access == "write"):
            return
        from kosmo_lua.audit import Audit  # noqa: PLC0415  # only where there is one, and a call

        self._audit = self._audit or Audit(self._audit_file)
        try:
            self._audit.write(self.run_id, entry, call.arguments)
        except OSError as error:
            self._on_warning(f"the audit log cannot be written: {error.strerror}")

    def _on_end(self, fields: JsonObject) -> None:
        self.ending = Ending.of(fields)

    def result(self, ending: Ending) -> Result:
        """Return the Result of the run; calls without an answer were cut off by its end.

        Raises what a listener raised.
        """
        if self._listeners.failure:
            raise self._listeners.failure
        lost = list[Call]()
        for number, call in self._open.items():
            self._waited -= call.cut_wait()
            self._answered[number] = cut = call.cut()
            self._ended(call, cut)
            if cut.access == "write" and cut.effect == "unknown":
                lost.append(cut)
        for request in self._answered.values():
            self._delivery = self._delivery.plus(_cut_off(request))
        self._open.clear()
        self._answered.clear()
        ending = with_lost(ending, lost)
        delivery = self._delivery.closed(self.queued) if self.queued else None
        if delivery and delivery.accepted < delivery.queued and ending.error is None:
            effect: Effect = "unknown" if delivery.unknown else self._effect
            ending = not_whole(ending, delivery, effect, self._name)
        ending = with_writes(ending, self._log.totals.wrote, self._name)
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
    "step",
    "answer",
    "delivered",
    "plan",
    "end",
)


def _cut_off(call: Call) -> Delivery:
    """Return what became of the events of a request when the run ended before its batch could tell."""
    events = call.events or 0
    if call.effect == "sent" and call.error is None:
        return Delivery(accepted=events, requests=call.attempts)
    return Delivery(unknown=events if call.effect == "unknown" else 0, requests=call.attempts)


def _sorted(pairs: list[tuple[str, Json]]) -> JsonObject:
    """Lua keeps no order of keys; the same script should print the same document each time."""
    return dict(sorted(pairs))
