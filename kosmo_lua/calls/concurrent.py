"""Concurrent: calls that go on while the script does something else."""

from collections import deque
from collections.abc import Iterable
from queue import SimpleQueue
from typing import Any, Literal

from kosmo_lua.calls.call import Call
from kosmo_lua.calls.path import Calls
from kosmo_lua.calls.pool import Job, Outcome, Pool
from kosmo_lua.errors import UsageError

Told = Literal["nothing", "end", "outcome"]
"""What `wait` tells of a call: that it has ended, and maybe what it has come to. Others `collect` that."""


class Concurrent:
    """Makes the calls of a script on threads. Its methods are called on the thread of the script only."""

    def __init__(self, calls: Calls, pool: Pool) -> None:
        self._calls = calls
        self._pool = pool
        self._under_way = dict[int, Told]()
        """The calls that have not ended, and what `wait` is to tell of each."""
        self._results = SimpleQueue[tuple[int, Outcome]]()
        self._ended = deque[tuple[int, Told]]()
        """The calls that have ended, and that nobody was told of yet."""
        self._outcomes: dict[int, Outcome] = {}
        self._forgotten: set[int] = set()

    def submit(self, call: Call) -> int:
        """Let a prepared call go on by itself; return its number."""
        self.run(call.number, lambda: self._calls.perform(call), told="outcome")
        return call.number

    def run(self, number: int, work: Job, *, told: Told) -> None:
        """Let work of any kind go on by itself, under the number of a call."""
        results = self._results
        self._under_way[number] = told
        self._pool.submit(work, lambda outcome: results.put((number, outcome)))

    def wait(self) -> tuple[int, Outcome | None]:
        """Wait until a call has ended of which nobody was told; return its number, and what is told of it.

        Raises:
            UsageError: none is under way.
        """
        while not self._ended:
            self._take()
        number, told = self._ended.popleft()
        return number, self._outcomes.pop(number, None) if told == "outcome" else None

    def wait_for(self, numbers: Iterable[int]) -> int:
        """Wait until one of these calls has ended; return its number."""
        while True:
            for number in numbers:
                if number in self._outcomes:
                    return number
            self._take()

    def collect(self, number: int) -> Any:  # noqa: ANN401  # of any job
        """Return what a call that has ended returned, or raise what it raised."""
        return self._outcomes.pop(number).collect()

    def forget(self, number: int) -> None:
        """Nobody collects this call; it goes on all the same."""
        if number in self._under_way:
            self._forgotten.add(number)
        else:
            self._outcomes.pop(number, None)

    def drain(self) -> None:
        """Wait until every call has ended."""
        while self._under_way:
            self._take()

    def _take(self) -> None:
        if not self._under_way:
            raise UsageError("there is nothing to wait for")
        number, outcome = self._results.get()
        told = self._under_way.pop(number)
        if number in self._forgotten:
            self._forgotten.discard(number)
        else:
            self._outcomes[number] = outcome
        if told != "nothing":
            self._ended.append((number, told))
