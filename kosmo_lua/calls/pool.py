"""Pool: threads that make calls, so that several wait for their answers at once."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

LARGEST = 256
"""So many calls go on at once at most."""

Job = Callable[[], None]


class Pool:
    """Threads, made when they are needed and kept: each has a connection of its own.

    They do not keep a program from ending while one of them waits for an answer.
    """

    def __init__(self) -> None:
        self._jobs = SimpleQueue[Job | None]()
        self._threads = 0
        self._busy = 0

    def submit(self, job: Job) -> None:
        """Let a thread do a job, which must not raise. Called on one thread only, as is `finished`."""
        self._busy += 1
        if self._busy > self._threads < LARGEST:
            self._threads += 1
            Thread(target=self._work, name="kosmo-call", daemon=True).start()
        self._jobs.put(job)

    def finished(self) -> None:
        """One of the jobs has ended."""
        self._busy -= 1

    def close(self) -> None:
        """Let the threads end, each after its job."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while job := self._jobs.get():
            job()
