"""Work: what a script has under way beside the call that it waits for."""

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from kosmo_lua.calls.concurrent import Concurrent
from kosmo_lua.calls.delivery import CONCURRENCY, Batch
from kosmo_lua.calls.iteration import Arrange, Iterations
from kosmo_lua.calls.path import Calls
from kosmo_lua.calls.pool import Pool
from kosmo_lua.calls.tally import Tally
from kosmo_lua.dry_run import PlannedWrite
from kosmo_lua.results import Delivery, plain

if TYPE_CHECKING:  # only named here
    from kosmo_lua.journal import Record
    from kosmo_lua.values import Json


class Queue(Protocol):
    """Takes the events of one function for one batch."""

    def __call__(self, text: bytes, *, by_position: bool) -> "Json | PlannedWrite":
        """Let the event of a call, whose arguments are JSON, go out with others; return its ID."""


class Rehearsed(Protocol):
    """A batch of a dry run, or of a replay: it sends nothing."""

    def close(self) -> Delivery | PlannedWrite:
        """Return what a script gets as the report."""


class Work:
    """The calls that go on at once, the lists that are read, and the batches that are open, of one script.

    After its `end` it is that of the next script, and keeps its threads and their connections. `arrange`
    makes of the rows of a page what `iterations` collect, on the thread that has read them.
    """

    def __init__(self, calls: Calls, record: "Record", arrange: Arrange) -> None:
        self._calls = calls
        self._record = record
        self._arrange = arrange
        self._pool = Pool()
        # They are never used again: what an earlier script has left must not reach what is of this one.
        self._handles = count(1)
        self._begin()

    def _begin(self) -> None:
        self.requests = Tally()
        """The requests that count as calls of the script, beside those that it makes itself."""
        self.concurrent = Concurrent(self._calls, self._pool)
        lists = (self.concurrent, self._handles, self.requests, self._arrange)
        self.iterations = Iterations(self._calls, *lists)
        self._batches: dict[int, Batch | Rehearsed] = {}

    def gather(self, size: int | None, concurrency: int | None) -> int:
        """Begin a batch; return its handle."""
        handle = next(self._handles)
        self._batches[handle] = self._calls.rehearsed_batch() or Batch(
            self._calls,
            self.concurrent,
            self._record,
            self.requests,
            size=size,
            concurrency=concurrency or CONCURRENCY,
        )
        return handle

    def queue(self, handle: int, name: str) -> "Queue":
        """Return what lets the events of a function wait for a batch: as `Calls.queue`."""
        batch: Any = self._batches[handle]  # it is of the same kind as the calls
        return partial(self._calls.queue, batch, name)

    def deliver(self, handle: int) -> "Json | PlannedWrite":
        """End a batch: everything goes out; return what became of it."""
        report = self._batches.pop(handle).close()
        if isinstance(report, PlannedWrite):
            return report
        self._calls.delivered(report)
        return plain(report)

    def end(self, *, over: bool) -> None:
        """End the script. What waits in a batch goes out, and what is under way comes to its end.

        `over`: a limit has ended the run, so nobody waits for anything.
        """
        if not over:
            for handle in [*self._batches]:
                self.deliver(handle)
        self._calls.stop()  # a page that nobody wants is not tried again
        if not over:
            self.concurrent.drain()
        self._begin()

    def close(self) -> None:
        """Let the threads end."""
        self._pool.close()
