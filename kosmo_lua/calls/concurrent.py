"""Concurrent: calls that go on while the script does something else."""

from collections import deque
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import NamedTuple

from kosmo_lua.calls.call import Call
from kosmo_lua.calls.path import Calls, Work
from kosmo_lua.calls.pool import Pool
from kosmo_lua.errors import UsageError
from kosmo_lua.values import Json


class _Outcome(NamedTuple):
    value: Json
    error: BaseException | None


class Concurrent:
    """Makes calls on threads. Its methods are called on the thread of the script only."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._pool = Pool()
        self._running = 0
        self._results = SimpleQueue[tuple[int, _Outcome]]()
        self._ended = deque[int]()
        """The calls that have ended, and that nobody was told of yet."""
        self._outcomes: dict[int, _Outcome] = {}
        self._quiet: set[int] = set()

    def submit(self, call: Call, work: Work | None = None) -> int:
        """Let a prepared call go on by itself; return its number."""
        self.run(call.number, lambda: self._calls.perform(call, work))
        return call.number

    def run(self, number: int, work: Callable[[], Json], *, quiet: bool = False) -> None:
        """Let work of any kind go on by itself, under the number of a call. `quiet`: `wait` is not for it."""

        def job() -> None:
            try:
                outcome = _Outcome(work(), None)
            except BaseException as error:  # noqa: BLE001  # raised again where it is collected
                outcome = _Outcome(None, error)
            self._results.put((number, outcome))

        if quiet:
            self._quiet.add(number)
        self._running += 1
        self._pool.submit(job)

    def wait(self) -> int:
        """Wait until a call has ended of which nobody was told; return its number.

        Raises:
            UsageError: none is running.
        """
        while not self._ended:
            self._take()
        return self._ended.popleft()

    def wait_for(self, numbers: Iterable[int]) -> int:
        """Wait until one of these calls has ended; return its number."""
        while True:
            for number in numbers:
                if number in self._outcomes:
                    return number
            self._take()

    def collect(self, number: int) -> Json:
        """Return what a call that has ended returned, or raise what it raised."""
        value, error = self._outcomes.pop(number)
        if error:
            raise error
        return value

    def close(self) -> None:
        """Let the threads end."""
        self._pool.close()

    def _take(self) -> None:
        if not self._running:
            raise UsageError("there is nothing to wait for")
        number, outcome = self._results.get()
        self._running -= 1
        self._pool.finished()
        self._outcomes[number] = outcome
        if number in self._quiet:
            self._quiet.discard(number)
        else:
            self._ended.append(number)
