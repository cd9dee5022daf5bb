"""--trace FILE: every call of a run with its times, as JSON Lines."""

import json
import os
import stat
from typing import NamedTuple, Self

import click

from kosmo_lua.cli.output import Printer, write_all
from kosmo_lua.errors import Effect
from kosmo_lua.results import Access, plain
from kosmo_lua.run_events import CallEnded, RunEvent, Wait


class TracedCall(NamedTuple):
    """One line: a call, with no argument and no word of its error, in which an argument may be quoted.

    Times are milliseconds: `started_ms` since the start of the run, as is that of each wait.
    """

    number: int
    function: str
    account: str
    access: Access
    started_ms: float
    duration_ms: float
    attempts: int
    status: int | None
    effect: Effect
    error: str | None
    """Its code."""
    events: int | None
    waits: tuple[Wait, ...]

    @classmethod
    def of(cls, call: CallEnded) -> Self:
        """Make the line of a call that has ended."""
        error = call.error.code if call.error else None
        facts = {**call._asdict(), "error": error, "waits": call.retries}
        return cls(**{name: facts[name] for name in cls._fields})


class Trace:
    """The file. It is written in a thread of its own: it may be a pipe that nobody reads."""

    def __init__(self, path: str) -> None:
        self._descriptor = _open(path)
        self._printer = Printer(lambda text: write_all(self._descriptor, text))
        self._failed = False
        self.problem: str | None = None
        """What went wrong, once it is closed."""

    def take(self, event: RunEvent) -> None:
        """Write the line of a call that has ended."""
        if event.type != "call" or self._failed:
            return
        line = json.dumps(plain(TracedCall.of(event)), ensure_ascii=False)
        try:
            self._printer.print(line)
        except OSError:  # told at the end
            self._failed = True

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until everything is written."""
        try:
            self._printer.close()
        except OSError as failure:
            self.problem = f"the trace is not complete: {failure.strerror}"
        finally:
            os.close(self._descriptor)


def _open(path: str) -> int:
    """Open the file, emptied, and for the user alone.

    Raises:
        click.BadParameter: it cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags, 0o600)  # a pipe without a reader is an error, not a wait
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}"
        context = click.get_current_context()
        raise click.BadParameter(message, context, param_hint="'--trace'") from None
    if flags & getattr(os, "O_NONBLOCK", 0):
        os.set_blocking(descriptor, True)
    return descriptor
