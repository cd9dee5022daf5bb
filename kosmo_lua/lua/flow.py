"""Flow: what Lua can ask about calls that go on at once, about lists read page by page, and about batches."""

from time import perf_counter
from typing import TYPE_CHECKING

from kosmo_lua.errors import KosmoError
from kosmo_lua.lua.convert import Pieces, to_json

if TYPE_CHECKING:  # start-up
    from kosmo_lua.calls.work import Queue
    from kosmo_lua.lua.operations import Answer, Operations

LONGEST_WORK = 0.001
"""Seconds that making an event takes at most."""


class Flow:
    """More operations, each a method `_do_...`, of the host that the others have."""

    def __init__(self, operations: "Operations") -> None:
        self._operations = operations
        self._held: dict[int, Pieces] = {}
        """Values of calls that have ended, by their numbers."""
        self._queues: dict[int, dict[bytes, Queue]] = {}
        """What takes the events of each function of a batch, by the handle of the batch."""

    def begin(self) -> None:
        """Begin anew, for a script."""
        self._held.clear()
        self._queues.clear()

    def _do_submit(self, kind: bytes, path: bytes, values: bytes) -> "Answer":
        """Let a call go on by itself. The answer is its number, by which `wait` tells of it."""
        given = self._operations.whole(values)
        return self._operations.begun(
            lambda: self._operations.host.submit(kind.decode(), _text(path), given)
        )

    def _do_wait(self) -> "Answer":
        """Wait until any call has ended. The answer is what a submitted one has come to, and its number.

        A value that is not short is not told: maybe nobody wants it any more.
        """
        operations = self._operations
        with operations.uncharged:
            number, outcome = operations.host.wait()
            if outcome is None:
                return True, None, number
            try:
                pieces = Pieces(outcome.collect())
            except KosmoError as error:  # for whoever has made the call
                answer = operations.answer(False, to_json(error.facts()))
                del outcome  # its error knows this frame, and would wait for the garbage collector
            else:
                if not pieces.is_short:
                    self._held[number] = pieces
                    return True, None, number
                answer = operations.first(pieces)
        ok, payload = answer if isinstance(answer, tuple) else (answer, None)
        return ok, payload, number

    def _do_collect(self, number: int) -> "Answer":
        """The value that `wait` has not told."""
        return self._operations.first(self._held.pop(number))

    def _do_forget(self, number: int) -> "Answer":
        self._held.pop(number, None)
        self._operations.host.forget(number)
        return True

    def _do_open(self, path: bytes, kind: bytes, values: bytes) -> "Answer":
        """Begin to read a list; the answer is its handle."""
        given = self._operations.whole(values)
        return self._operations.begun(
            lambda: self._operations.host.open(_text(path), kind.decode(), given)
        )

    def _do_page(self, handle: int) -> "Answer":
        """The number of the call that reads the next page, 0 after the last one."""
        number = self._operations.host.page(handle)
        # None: it was not begun, because no call was left.
        if number is None or self._operations.exceeds_calls():
            return self._operations.over("call_limit")
        return True, number

    def _do_rows(self, handle: int) -> "Answer":
        """The rows of the page whose call has ended; the next page is begun, if a call is left."""
        operations = self._operations
        ahead = not operations.exceeds_calls(more=1)
        with operations.uncharged:
            rows = operations.host.rows(handle, ahead=ahead)
        return operations.first(rows)

    def _do_leave(self, handle: int) -> "Answer":
        self._operations.host.leave(handle)
        return True

    def _do_gather(self, options: bytes) -> "Answer":
        """Begin a batch; the answer is its handle."""
        given = self._operations.whole(options)
        return self._operations.begun(lambda: self._operations.host.gather(**given), counted=False)

    def _do_queue(self, handle: int, kind: bytes, path: bytes, values: bytes) -> "Answer":
        """Let the event of a call wait for its batch; the answer is its ID."""
        operations, started = self._operations, perf_counter()
        text = operations.joined(values)
        queue = self._queues.get(handle, {}).get(path) or self._queue(handle, path)
        queued = queue(text, by_position=kind == b"call_with")
        if not isinstance(queued, dict):
            return operations.call(lambda: queued, counted=False)
        # The clock of the CPU takes as long as half of this work; what has waited is not credited.
        operations.meter.queue(min(perf_counter() - started, LONGEST_WORK))
        if operations.exceeds_calls():
            return operations.over("call_limit")
        return operations.named(queued) or operations.first(Pieces({"queued": True, **queued}))

    def _queue(self, handle: int, path: bytes) -> "Queue":
        queue = self._operations.host.queue(handle, _text(path))
        self._queues.setdefault(handle, {})[path] = queue
        return queue

    def _do_deliver(self, handle: int) -> "Answer":
        """End a batch; the answer is its report."""
        self._queues.pop(handle, None)
        return self._operations.call(lambda: self._operations.host.deliver(handle), counted=False)


def _text(path: bytes) -> str:
    return path.decode("utf-8", "replace")
