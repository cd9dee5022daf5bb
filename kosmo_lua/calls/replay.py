"""Replay: calls that a recording answers. Nothing is sent, and no credential is loaded."""

from collections import Counter
from typing import TYPE_CHECKING

from kosmo_lua.calls.call import Call
from kosmo_lua.calls.differences import explain, matches
from kosmo_lua.calls.path import Calls, Work
from kosmo_lua.calls.recorded import RecordedAccounts
from kosmo_lua.calls.recording import Made
from kosmo_lua.calls.tape import Answer, Place, Tape, key
from kosmo_lua.catalog import Catalog, Target
from kosmo_lua.errors import NotRecorded
from kosmo_lua.policy import Policy
from kosmo_lua.results import Delivery, plain
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # threads, only for a script that needs them
    from kosmo_lua.calls.delivery import Batch
    from kosmo_lua.journal import Record

_NAMED = 10


class _Playback:
    """What of a tape a run has heard already."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._heard: set[Place] = set()
        self._next = Counter[bytes]()
        self._made = Counter[str]()
        self._reports = [*tape.reports]

    def take(self, made: Made) -> Answer:
        """Return what the next recorded call that is equal to this one came to.

        Raises:
            NotRecorded: there is none; says what the nearest one has.
        """
        place = self._equal(made) or self._masked(made)
        if place is None:
            raise NotRecorded(
                self._explained(made), hint="Record the run again, or mend the script."
            )
        self._heard.add(place)
        self._made[made.function] += 1
        return self._tape.at(place)[1]

    def _equal(self, made: Made) -> Place | None:
        digest = key(made)
        places = self._tape.calls.get(digest, [])
        while self._next[digest] < len(places):
            place = places[self._next[digest]]
            self._next[digest] += 1
            if place not in self._heard:
                return place
        return None

    def _masked(self, made: Made) -> Place | None:
        """Find a call whose arguments held a secret, which nobody knows here."""
        for place in self._tape.masked.get(made.function, []):
            if place not in self._heard:
                recorded, _ = self._tape.at(place)
                same = recorded._replace(arguments={}) == made._replace(arguments={})
                if same and matches(recorded.arguments, made.arguments):
                    return place
        return None

    def _explained(self, made: Made) -> str:
        try:
            return explain(made, self._tape.like(made.function))
        except RecursionError:
            return "it was not recorded"

    def report(self, queued: int) -> Delivery | None:
        """Return the next recorded report of a batch of so many events."""
        found = next((report for report in self._reports if report.queued == queued), None)
        if found:
            self._reports.remove(found)
        return found

    def left(self) -> str | None:
        """Say which recorded calls were not made."""
        left = Counter({name: len(places) for name, places in self._tape.functions.items()})
        left.subtract(self._made)
        names = [f"{name} ({count})" for name, count in left.items() if count]
        if not names:
            return None
        more = len(names) - _NAMED
        rest = f" and {more} more" if more > 0 else ""
        total = left.total()
        what = "1 recorded call was" if total == 1 else f"{total:,} recorded calls were"
        return f"{what} not made: {', '.join(names[:_NAMED])}{rest}"


class ReplayedBatch:
    """A batch of which the recording says what became of it."""

    def __init__(self, playback: _Playback, record: "Record") -> None:
        self._playback = playback
        self._record = record
        self._queued = self._bytes = 0

    def take(self, size: int) -> None:
        """Count an event of so many bytes."""
        self._queued += 1
        self._bytes += size

    def close(self) -> Delivery:
        """Return the recorded report; without one, everything was accepted."""
        queued = self._queued
        accepted = Delivery(queued=queued, accepted=queued, bytes=self._bytes)
        report = self._playback.report(queued) or accepted
        self._record(["delivered", None, plain(report)])
        return report


class ReplayedCalls(Calls):
    """Answers the calls of a run from a recording, equal ones in their recorded order."""

    def __init__(self, catalog: Catalog, tape: Tape, record: "Record") -> None:
        super().__init__(catalog, RecordedAccounts(tape), Policy({}), record)
        for sentence in tape.warnings:
            record(["warning", sentence])
        self._playback = _Playback(tape)
        self._answers: dict[int, Answer | NotRecorded] = {}
        self._unheard: set[int] = set()
        """The calls that are no part of the log, because they were made ahead, and are not recorded."""

    def begin(self, target: Target, arguments: JsonObject) -> Call:
        """Begin a call; `perform` says what it came to."""
        call = self._made(target, arguments)
        self._begun(call)
        self._answers[call.number] = self._warned(self._answer(call))
        return call

    def follow(self, call: Call, name: str | None = None, events: int | None = None) -> Call:
        """Begin to read the next page of a list."""
        del name, events
        part = self._made(call.target, call.arguments)
        part.page = call.page + 1
        answer = self._answers[part.number] = self._answer(part)
        if isinstance(answer, NotRecorded):  # the script may not come as far
            self._unheard.add(part.number)
        else:
            self._begun(part)
        return part

    def perform(self, call: Call, work: Work | None = None) -> Json:
        """Return what a call came to.

        Raises:
            KosmoError: the recorded one, or NotRecorded.
        """
        del work
        answer = self._answers.pop(call.number)
        error = answer if isinstance(answer, NotRecorded) else answer.error
        if call.number not in self._unheard:
            call.ended([error.code, error.message] if error else None)
        if isinstance(answer, NotRecorded):
            raise answer
        if answer.error:
            raise answer.error
        call.more = answer.more
        return answer.result

    def queue(
        self,
        batch: "Batch",
        name: str,
        text: bytes,
        *,
        by_position: bool,
    ) -> Json:
        """Return the ID of an event that the recorded batch has taken."""
        assert isinstance(batch, ReplayedBatch), "it is the one of `rehearsed_batch`"
        target = self._resolve(name)
        arguments = self._decoded(target, text, by_position=by_position)
        call = self._made(target, arguments, queued=True)
        answer = self._warned(self._answer(call))
        error = answer if isinstance(answer, NotRecorded) else answer.error
        if error:
            self._begun(call)
            call.ended([error.code, error.message])
            raise error
        assert isinstance(answer, Answer), "there was no error"
        batch.take(answer.bytes)
        return answer.result

    def rehearsed_batch(self) -> ReplayedBatch:
        """Return a batch that the recording answers for."""
        return ReplayedBatch(self._playback, self._record)

    def finish(self) -> None:
        """Warn of what was recorded and not made."""
        if sentence := self._playback.left():
            self._record(["warning", sentence])

    def _answer(self, call: Call) -> Answer | NotRecorded:
        try:
            return self._playback.take(call.made)
        except NotRecorded as error:
            error.function = call.name
            error.message = f"{call.name}: {error.message}"
            return error

    def _warned(self, answer: Answer | NotRecorded) -> Answer | NotRecorded:
        """Say that a call was not recorded also where the script catches the error."""
        if isinstance(answer, NotRecorded):
            self._record(["warning", answer.message])
        return answer
