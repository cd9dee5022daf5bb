"""How a run is told to end: by another thread of its program, or by a signal to the process."""

import os
import signal
from _thread import allocate_lock
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from kosmo_lua.errors import SIGNALS, UsageError

if TYPE_CHECKING:
    from types import FrameType


class Stop:
    """A wish that stays: who comes to watch after it was made finds it made."""

    def __init__(self) -> None:
        self.wanted = False
        self._lock = allocate_lock()
        self._writer: int | None = None

    def set(self) -> None:
        """Make the wish."""
        with self._lock:
            if not self.wanted and self._writer is not None:
                os.write(self._writer, b"s")
            self.wanted = True

    @contextmanager
    def watched(self) -> Iterator[int]:
        """Return a descriptor that is readable once the wish was made."""
        reader, writer = os.pipe()
        with self._lock:
            self._writer = writer
            if self.wanted:
                os.write(writer, b"s")
        try:
            yield reader
        finally:
            with self._lock:  # nobody may write to a number that is another file's by now
                self._writer = None
                os.close(writer)
            os.close(reader)


def heeded() -> list[signal.Signals]:
    """Return the signals that end a run, without those that whoever started this process has it ignore."""
    known = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]


class Wakeup(NamedTuple):
    """Tells of signals: `reader` is readable once one has arrived."""

    reader: int
    numbers: list[signal.Signals]
    """Those that end a run here; any other is the program's own."""
    previous: int
    """Where the program reads of its own, the event loop of asyncio for example; -1: nowhere."""

    def take(self) -> signal.Signals | None:
        """Return the signal that has arrived, if it is one of those."""
        [number] = word = os.read(self.reader, 1)
        if number in self.numbers:
            return signal.Signals(number)
        if self.previous >= 0:
            os.write(self.previous, word)
        return None


@contextmanager
def signals() -> Iterator[Wakeup]:
    """Let signals be read from a pipe, instead of what they do otherwise.

    Raises:
        UsageError: this is not the main thread, which alone hears of signals.
    """
    if not _is_main_thread():
        message = "only the main thread of a program can fork a script's process"
        raise UsageError(message, hint='Use isolation="process".')
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    taken = _taken(has_loop=previous >= 0)
    handlers = {number: signal.signal(number, _nothing) for number in taken}
    try:
        yield Wakeup(reader, taken, previous)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous)
        os.close(reader)
        os.close(writer)


def _taken(*, has_loop: bool) -> list[signal.Signals]:
    """Return what ends a run; SIGHUP is left to a program that has another use for it than for SIGTERM.

    `has_loop`: its event loop has the same handler for all signals.
    """
    alike = [signal.SIG_DFL, *([] if has_loop else [signal.getsignal(signal.SIGTERM)])]
    return [n for n in heeded() if n.name != "SIGHUP" or signal.getsignal(n) in alike]


def _is_main_thread() -> bool:
    try:
        signal.set_wakeup_fd(signal.set_wakeup_fd(-1))
    except ValueError:
        return False
    return True


def _nothing(number: int, frame: "FrameType | None") -> None:
    """The pipe has the number already."""
