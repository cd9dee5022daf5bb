"""How far a run has come, as one line on the terminal that is rewritten in place."""

import os
import sys
from _thread import allocate_lock
from contextlib import suppress

from kosmo_lua.progress import Progress, Waiting, Working

_ERASE = "\r\x1b[K"
"""Back to the first column, and nothing from there on."""


class ProgressLine:
    """The line. Of what it is offered it shows the latest, when it is drawn."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._latest: Progress | None = None
        self._text = ""
        self._hidden = False

    def offer(self, progress: Progress) -> bool:
        """Take what is to be shown; return whether the line must be drawn for it."""
        waits = self._latest is not None
        self._latest = progress
        return not waits

    def draw(self) -> None:
        """Show the latest."""
        with self._lock:
            progress, self._latest = self._latest, None
            if progress and not self._hidden and _in_foreground():
                text = text_of(progress)[: _width() - 1]
                if text != self._text:
                    _write(_ERASE + text)
                self._text = text

    def erase(self) -> None:
        """Leave the terminal as if the line had never been there; it may be drawn again."""
        with self._lock:
            if self._text:
                _write(_ERASE)
            self._text = ""

    def hide(self) -> None:
        """Erase it, and draw nothing until it may be shown again."""
        self._hidden = True
        self.erase()

    def unhide(self) -> None:
        """Let it be drawn again."""
        self._hidden = False


def text_of(progress: Progress) -> str:
    """Return what the line says, in ASCII: a name cannot move the cursor, nor take two columns."""
    if not (progress.calls or progress.in_flight or progress.queued):
        return ""
    calls = "call" if progress.calls == 1 else "calls"
    parts = [f"{progress.calls:,} {calls}, {progress.per_second:,.1f}/s"]
    if progress.in_flight:
        parts.append(f"{progress.in_flight:,} in flight")
    if progress.queued:
        parts.append(f"{progress.accepted:,} of {progress.queued:,} events accepted")
    parts += _waiting("rate limit", progress.limited)
    parts += _waiting("retrying", progress.retrying)
    parts += [_words(each) for each in progress.working[-1:]]
    return "".join(char if " " <= char <= "~" else "?" for char in " | ".join(parts))


def _waiting(why: str, calls: tuple[Waiting, ...]) -> list[str]:
    if not calls:
        return []
    others = f" and {len(calls) - 1:,} more" if len(calls) > 1 else ""
    return [f"{why}: {calls[0].function} in {calls[0].seconds:.0f} s{others}"]


def _words(working: Working) -> str:
    """Return how far the work on a call is: `mcp.github.search 3 of 10: reading`."""
    done, total, message = working.step
    far = f"{done:g} of {total:g}" if total else f"{done:g}"
    return f"{working.function} {far}{f': {message}' if message else ''}"


def _write(text: str) -> None:
    with suppress(OSError):  # the terminal is gone
        sys.stderr.buffer.write(text.encode())
        sys.stderr.buffer.flush()


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80


def _in_foreground() -> bool:
    """Whether the terminal is ours: a job in the background leaves it to others."""
    try:
        return os.tcgetpgrp(sys.stderr.fileno()) == os.getpgrp()
    except (AttributeError, OSError):  # not a terminal of this session, or not POSIX
        return True
