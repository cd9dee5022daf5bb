"""Writing to stdout: at once, in UTF-8, and without waiting for a reader while a script is watched."""

import errno
import os
import sys
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:  # start-up: only what a script prints as text needs a thread
    from collections.abc import Callable, Iterator
    from queue import SimpleQueue
    from threading import Thread

    from kosmo_lua.cli.progress import ProgressLine
    from kosmo_lua.progress import Progress

PATIENCE = 1.0
"""Seconds that a question waits for the reader of what was printed before it."""

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


def can_rewrite() -> bool:
    """Whether people look at stderr, on a terminal that can rewrite a line."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def write_all(descriptor: int, text: str) -> None:
    """Write a line to a file.

    Raises:
        OSError: it cannot be written.
    """
    rest = memoryview(text.encode("utf-8", "backslashreplace") + b"\n")
    while rest:
        rest = rest[os.write(descriptor, rest) :]


class Printer:
    """Prints what a script prints, as it comes, in a thread of its own; and between it how far the run is.

    The thread that watches the script must not wait for a reader that does not read: it would miss the limits
    and the signals. What waits to be printed is bounded by the limits of the run. Without a text and without
    progress nothing is loaded or started.
    """

    def __init__(self, write: "Callable[[str], None]" = write) -> None:
        self._write = write
        self._queue: SimpleQueue[Callable[[], None] | None] | None = None
        self._thread: Thread | None = None
        self._line: ProgressLine | None = None
        self._asking = False
        self._failure: BaseException | None = None

    def print(self, text: str) -> None:
        """Take a text to print.

        Raises:
            BrokenPipeError, OutputFailedError: an earlier text could not be written.
        """
        if self._failure:
            raise self._failure
        self._put(partial(self._print, text))

    def show(self, progress: "Progress") -> None:
        """Show how far the run is, on the terminal, until the next text is printed."""
        if self._asking:
            return
        if self._line is None:
            from kosmo_lua.cli.progress import ProgressLine  # noqa: PLC0415  # only on a terminal

            self._line = ProgressLine()
        if self._line.offer(progress):  # else the one that it replaces was not drawn yet
            self._put(self._line.draw)

    @contextmanager
    def undisturbed(self) -> "Iterator[None]":
        """Keep the terminal clear: somebody is asked, after what was printed before is shown."""
        self._asking = True
        self._drain()
        if self._line:
            self._line.hide()
        try:
            yield
        finally:
            self._asking = False
            if self._line:
                self._line.unhide()

    def _drain(self) -> None:
        """Wait until all that was taken is printed, but not for a reader that does not read."""
        if self._queue and not self._failure:
            from threading import Event  # noqa: PLC0415  # only for a run that prints

            done = Event()
            self._queue.put(done.set)
            done.wait(PATIENCE)

    def _put(self, act: "Callable[[], None]") -> None:
        if self._queue is None:
            from queue import SimpleQueue  # noqa: PLC0415  # only for a run that prints
            from threading import Thread  # noqa: PLC0415  # the same

            self._queue = SimpleQueue()
            self._thread = Thread(target=self._work, args=(self._queue,), daemon=True)
            self._thread.start()
        self._queue.put(act)

    def _work(self, queue: "SimpleQueue[Callable[[], None] | None]") -> None:
        try:
            while act := queue.get():
                act()
        except (OSError, OutputFailedError) as error:
            self._failure = error

    def _print(self, text: str) -> None:
        if self._line:
            self._line.erase()
        self._write(text)

    def close(self) -> None:
        """Wait until everything is printed.

        Raises:
            BrokenPipeError, OutputFailedError: something could not be.
        """
        if self._queue and self._thread:
            self._queue.put(None)
            self._thread.join()
        if self._line:
            self._line.hide()
        if self._failure:
            raise self._failure

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
        if error is None:
            self.close()
        elif self._line:
            self._line.hide()
