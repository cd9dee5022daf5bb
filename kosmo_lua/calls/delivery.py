"""Batches: events that go out together, in requests as large as their service takes."""

from threading import Lock
from typing import TYPE_CHECKING, Any

from kosmo_lua.calls.call import Call
from kosmo_lua.calls.concurrent import Concurrent
from kosmo_lua.calls.minting import Mint
from kosmo_lua.calls.path import Calls
from kosmo_lua.calls.tally import Tally
from kosmo_lua.errors import Interrupted, KosmoError
from kosmo_lua.results import KEPT, Delivery, Rejection, plain

if TYPE_CHECKING:  # httpx, as in path
    from kosmo_lua.http import Api, BatchLimits, Event
    from kosmo_lua.journal import Record

CONCURRENCY = 4
"""So many requests of a batch are under way at once, unless the script says otherwise."""

_AT_FAULT = (400, 413, 422)
"""With these statuses a service may refuse a request because of one event in it."""

_HOPELESS = 10
"""After so many events that were each refused alone, and none that was taken, no request is split."""

_FRAME = 1024
"""Bytes of a request's body that are left for what is around the events."""


Queued = tuple[int, str, bytes]
"""An event that waits for its request: its place in the batch, its ID, and its JSON."""


class _Report:
    """What became of the events of a batch. Requests end on several threads."""

    def __init__(self, record: "Record") -> None:
        self._record = record
        self._lock = Lock()
        self._alone = 0
        self.total = Delivery()

    @property
    def is_hopeless(self) -> bool:
        """Whether it is not the events for which the service refuses requests."""
        return self._alone >= _HOPELESS and not self.total.accepted

    def add(
        self,
        call: Call,
        size: int,
        *,
        accepted: int = 0,
        rejected: tuple[Rejection, ...] = (),
        unknown: int = 0,
    ) -> None:
        """Count the events of a request that has ended; `size` are their bytes."""
        requests = call.exchange.attempts if call.exchange else 0
        more = Delivery(
            accepted=accepted,
            rejected=rejected[:KEPT],
            rejected_count=len(rejected),
            unknown=unknown,
            requests=requests,
            bytes=size * requests,
        )
        with self._lock:
            self._alone += len(rejected) == 1
            self.total = self.total.plus(more)
            self._record(["delivered", call.number, plain(more)])


class _Lane:
    """The events that wait for the next request of one account."""

    def __init__(self, call: Call, limits: "BatchLimits", size: int | None) -> None:
        self.call = call
        self._most = min(size or limits.events, limits.events)
        self._room = limits.size - _FRAME
        self.events: list[Queued] = []
        self._bytes = 0

    def takes(self, size: int) -> bool:
        """Whether an event of so many bytes fits into the request."""
        return len(self.events) < self._most and self._bytes + size + 1 <= self._room

    def add(self, event: Queued, size: int) -> None:
        self.events.append(event)
        self._bytes += size + 1

    def empty(self) -> list[Queued]:
        events, self.events, self._bytes = self.events, [], 0
        return events


class Batch:
    """Takes events and sends them; its methods are called on the thread of the script.

    It holds no more events than the requests that are under way, and one for each account that is filled.
    `requests` counts those that it begins.
    """

    def __init__(
        self,
        calls: Calls,
        concurrent: Concurrent,
        record: "Record",
        requests: Tally,
        *,
        size: int | None = None,
        concurrency: int = CONCURRENCY,
    ) -> None:
        self._calls = calls
        self._concurrent = concurrent
        self._size = size
        self._concurrency = concurrency
        self._report = _Report(record)
        self._lanes: dict[tuple[str, str], _Lane] = {}
        self._lane_of: dict[Call, _Lane] = {}
        self._running: set[int] = set()
        self._queued = 0
        self._requests = requests
        self.mints = dict[str, Mint]()
        """What makes its events, by the names that the script has for the functions."""

    def add(self, call: Call, event: "Event") -> None:
        """Take an event; wait while too many requests are under way."""
        lane, size = self._lane_of.get(call) or self._lane(call), len(event.content)
        if not lane.takes(size):
            self._send(lane)
        self._queued += 1
        [name, *_] = event.id.values()
        lane.add((self._queued, str(name), event.content), size)

    def _lane(self, call: Call) -> _Lane:
        """Return the lane of an account for what one more of its functions makes."""
        key = (call.target.integration.name, call.target.account)
        if key not in self._lanes:
            self._lanes[key] = _Lane(call, _limits_of(call), self._size)
        self._lane_of[call] = self._lanes[key]
        return self._lanes[key]

    def close(self) -> Delivery:
        """Send what is left, wait for every answer, and return the report."""
        for lane in self._lanes.values():
            if lane.events:
                self._send(lane)
        self._wait(0)
        return self._report.total.closed(self._queued)

    def _send(self, lane: _Lane) -> None:
        self._wait(self._concurrency - 1)
        events = lane.empty()
        call = self._request(lane.call, events)
        self._running.add(call.number)
        self._concurrent.run(call.number, lambda: self._deliver(call, events), told="nothing")

    def _wait(self, most: int) -> None:
        """Wait until no more than so many requests are under way."""
        while len(self._running) > most:
            number = self._concurrent.wait_for(self._running)
            self._running.discard(number)
            self._concurrent.collect(number)

    def _request(self, call: Call, events: list[Queued]) -> Call:
        self._requests.add()
        name = f"{call.target.integration.name}.batch"
        return self._calls.follow(call, name, len(events))

    def _deliver(self, call: Call, events: list[Queued]) -> None:
        """Send events in one request, on a thread; in two if one of them may be at fault."""
        contents = [content for _, _, content in events]
        size = sum(map(len, contents))

        def send(api: "Api[Any]", _: object) -> None:
            api.deliver_batch(contents)

        try:
            self._calls.perform(call, send)
        except Interrupted:  # the run is over; the journal knows what was sent
            raise
        except KosmoError as error:
            is_split = error.status in _AT_FAULT and len(events) > 1
            if is_split and not self._report.is_hopeless:
                self._report.add(call, size)
                self._deliver_halves(call, events)
            elif call.effect == "unknown":
                self._report.add(call, size, unknown=len(events))
            else:
                self._report.add(call, size, rejected=_rejected(events, error))
        else:
            self._report.add(call, size, accepted=len(events))

    def _deliver_halves(self, call: Call, events: list[Queued]) -> None:
        middle = len(events) // 2
        for half in (events[:middle], events[middle:]):
            self._deliver(self._request(call, half), half)


def _rejected(events: list[Queued], error: KosmoError) -> tuple[Rejection, ...]:
    return tuple(Rejection(number, name, error.code, error.message) for number, name, _ in events)


def _limits_of(call: Call) -> "BatchLimits":
    assert call.api is not None, "it was prepared"
    return call.api.batches
