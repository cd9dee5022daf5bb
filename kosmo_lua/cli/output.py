"""Writing to stdout: at once, in UTF-8, and without waiting for a reader while a script is watched."""

import errno
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:  # start-up: only what a script prints as text needs a thread
    from queue import SimpleQueue
    from threading import Thread

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class OutputFailedError(Exception):
    """Stdout takes no more, and not because its reader is gone: the disk is full, say."""

    @staticmethod
    def is_cause(error: OSError) -> bool:
        """Whether an error of the system is about the place that stdout leads to."""
        return error.errno in _DISK


def write(text: str) -> None:
    """Write a line to stdout.

    Raises:
        BrokenPipeError: nobody reads any more.
        OutputFailedError: it cannot be written for another reason.
    """
    try:
        rest = memoryview(text.encode("utf-8", "backslashreplace") + b"\n")
        while rest:  # unbuffered (PYTHONUNBUFFERED), a write may take a part only
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputFailedError(error.strerror) from error


class Printer:
    """Prints what a script prints, as it comes, in a thread of its own.

    The thread that watches the script must not wait for a reader that does not read: it would miss the limits
    and the signals. What waits to be printed is bounded by the output limit of the run.
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[str | None] | None = None
        self._thread: Thread | None = None
        self._failure: BaseException | None = None

    def print(self, text: str) -> None:
        """Take a text to print.

        Raises:
            BrokenPipeError, OutputFailedError: an earlier text could not be written.
        """
        if self._failure:
            raise self._failure
        if self._queue is None:
            from queue import SimpleQueue  # noqa: PLC0415  # see above
            from threading import Thread  # noqa: PLC0415  # see above

            self._queue = SimpleQueue()
            self._thread = Thread(target=self._work, args=(self._queue,), daemon=True)
            self._thread.start()
        self._queue.put(text)

    def _work(self, queue: "SimpleQueue[str | None]") -> None:
        try:
            while (text := queue.get()) is not None:
                write(text)
        except (OSError, OutputFailedError) as error:
            self._failure = error

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait until everything is printed; what went wrong there is raised here."""
        if error is None and self._queue and self._thread:
            self._queue.put(None)
            self._thread.join()
            if self._failure:
                raise self._failure
