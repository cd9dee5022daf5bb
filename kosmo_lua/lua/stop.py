"""Stop: lets another thread end what a thread watches."""

import os
from _thread import allocate_lock
from collections.abc import Iterator
from contextlib import contextmanager


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
