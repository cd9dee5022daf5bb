"""Work: what a script has under way beside the call that it waits for."""

from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from kosmo_lua.calls.concurrent import Concurrent
from kosmo_lua.calls.delivery import CONCURRENCY, Batch
from kosmo_lua.calls.iteration import Iterations
from kosmo_lua.calls.path import Calls
from kosmo_lua.dry_run import PlannedWrite
from kosmo_lua.journal import Record
from kosmo_lua.results import Delivery

if TYPE_CHECKING:  # only named here
    from kosmo_lua.values import Json


class Rehearsed(Protocol):
    """A batch of a dry run, or of a replay: it sends nothing."""

    requests: int

    def close(self) -> Delivery | PlannedWrite:
        """Return what a script gets as the report."""


class Work:
    """The calls that go on at once, the lists that are read, and the batches that are open, of one script."""

    def __init__(self, calls: Calls, record: Record) -> None:
        self._calls = calls
        self._record = record
        self.concurrent = Concurrent(calls)
        self.iterations = Iterations(calls, self.concurrent)
        self._batches: dict[int, Batch | Rehearsed] = {}
        self._handles = count(1)
        self._done = 0

    @property
    def requests(self) -> int:
        """How many requests the batches have begun."""
        return self._done + sum(batch.requests for batch in self._batches.values())

    def gather(self, size: int | None, concurrency: int | None) -> int:
        """Begin a batch; return its handle."""
        handle = next(self._handles)
        self._batches[handle] = self._calls.rehearsed_batch() or Batch(
            self._calls,
            self.concurrent,
            self._record,
            size=size,
            concurrency=concurrency or CONCURRENCY,
        )
        return handle

    def queue(self, handle: int, kind: str, name: str, values: Any) -> "Json | PlannedWrite":  # noqa: ANN401  # JSON, a list for `call_with`
        """Let the event of a call, a `call` or a `call_with`, wait for its batch; return its ID."""
        batch: Any = self._batches[handle]  # it is of the same kind as the calls
        return self._calls.queue(batch, name, values, by_position=kind == "call_with")

    def deliver(self, handle: int) -> Delivery | PlannedWrite:
        """End a batch: everything goes out; return what became of it."""
        batch = self._batches[handle]
        try:
            report = batch.close()
            if isinstance(report, Delivery):
                self._calls.delivered(report)
            return report
        finally:
            self._done += self._batches.pop(handle).requests

    def end(self, *, over: bool) -> None:
        """End it all. What waits in a batch goes out, unless the run is over."""
        for handle in [] if over else [*self._batches]:
            self.deliver(handle)
        self.concurrent.close()
