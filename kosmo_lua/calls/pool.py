"""Pool: threads that make calls, so that several wait for their answers at once."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple

LARGEST = 256
"""So many calls go on at once at most."""


class Outcome(NamedTuple):
    """What a job has returned, or what it has raised."""

    value: Any
    error: BaseException | None

    def collect(self) -> Any:  # noqa: ANN401  # of any job
        """Return the one, or raise the other."""
        value, error = self
        if error is None:
            return value
        try:
            raise error
        finally:
            del self, error  # else it would know itself, by its traceback


Job = Callable[[], Any]
Ended = Callable[[Outcome], None]


class Pool:
    """Threads, made when they are needed and kept: each has a connection of its own.

    They do not keep a program from ending while one of them waits for an answer.
    """

    def __init__(self) -> None:
        self._jobs = SimpleQueue[tuple[Job, Ended] | None]()
        self._lock = Lock()
        self._threads = 0
        self._busy = 0

    def submit(self, job: Job, ended: Ended) -> None:
        """Let a thread do a job; it then calls `ended`, which must not raise."""
        with self._lock:
            self._busy += 1
            is_short = self._busy > self._threads < LARGEST
            self._threads += is_short
        if is_short:
            Thread(target=self._work, name="kosmo-call", daemon=True).start()
        self._jobs.put((job, ended))

    def close(self) -> None:
        """Let the threads end, each after its job."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while task := self._jobs.get():
            job, ended = task
            outcome = _outcome_of(job)
            # Before anybody hears of it: the next job that this one makes room for needs no other thread.
            with self._lock:
                self._busy -= 1
            ended(outcome)
            del task, job, ended, outcome  # a thread that waits keeps nothing of it


def _outcome_of(job: Job) -> Outcome:
    try:
        return Outcome(job(), None)
    except BaseException as error:  # noqa: BLE001  # raised again where it is collected
        return Outcome(None, error)
