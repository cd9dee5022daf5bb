"""The command at a pseudo-terminal: what somebody sees there, and types."""

import fcntl
import os
import pty
import re
import selectors
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator

import pytest

Start = Callable[..., subprocess.Popen[bytes]]

ON_TERMINAL = """if True:
    import fcntl, os, sys, termios
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.execv(sys.executable, [sys.executable, "-m", "kosmo_lua", *sys.argv[1:]])
"""
"""Runs the command with its stdin as the terminal of its session, so that Ctrl-C is a signal."""

WHERE_IS_THE_CURSOR = b"\x1b[6n"
AT_THE_TOP = b"\x1b[1;1R"

ERASE = "\x1b[K"
"""Erases the line from the cursor on."""


class Terminal:
    """The other end of a pseudo-terminal."""

    def __init__(self, start: Start, master: int, terminal: int) -> None:
        self._start = start
        self._master = master
        self._terminal = terminal
        self._seen = b""

    def run(
        self,
        *arguments: str,
        command: str = "integrations:lua",
        stdout: int = subprocess.PIPE,
        env: dict[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Run a command at this terminal; writes need approval."""
        return self._start(
            command,
            *arguments,
            program=[sys.executable, "-c", ON_TERMINAL],
            stdin=self._terminal,
            stdout=stdout,
            stderr=self._terminal,
            env={"KOSMO_SEGMENT_WRITE": "ask", "TERM": "xterm", **(env or {})},
        )

    @property
    def descriptor(self) -> int:
        """The terminal itself, to be a stream of a command."""
        return self._terminal

    def wait_for(self, text: str) -> str:
        """Read until the text is there; return what came before it."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._master, selectors.EVENT_READ)
            deadline = time.monotonic() + 20
            while text.encode() not in self._seen:
                assert selector.select(deadline - time.monotonic()), self._seen
                shown = os.read(self._master, 4096)
                self._seen += shown
                if WHERE_IS_THE_CURSOR in shown:
                    os.write(self._master, AT_THE_TOP)
        before, _, self._seen = self._seen.partition(text.encode())
        return before.decode()

    def read_all(self, process: subprocess.Popen[bytes]) -> str:
        """Read until the process has ended; return everything that was not read before."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._master, selectors.EVENT_READ)
            deadline = time.monotonic() + 20
            has_ended = False
            while (ready := selector.select(0.02)) or not has_ended:
                assert time.monotonic() < deadline, self._seen
                has_ended = process.poll() is not None  # what it wrote last is still to be read
                self._seen += os.read(self._master, 4096) if ready else b""
        seen, self._seen = self._seen, b""
        return seen.decode()

    def is_still(self, seconds: float) -> bool:
        """Whether nothing is shown for so many seconds."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._master, selectors.EVENT_READ)
            return not self._seen and not selector.select(seconds)

    def resize(self, columns: int) -> None:
        """Make the terminal so wide."""
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))

    def pause(self) -> None:
        """Press Ctrl-S: whoever writes to the terminal waits."""
        termios.tcflow(self._terminal, termios.TCOOFF)

    def go_on(self) -> None:
        """Press Ctrl-Q."""
        termios.tcflow(self._terminal, termios.TCOON)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())


def screen(shown: str) -> list[str]:
    """Return the lines that a terminal has at the end, of what was shown from its first line on."""
    lines, column = [""], 0
    for part in re.findall(r"\r|\n|\x1b\[K|[^\r\n\x1b]+|.", shown):
        if part == "\r":
            column = 0
        elif part == "\n":
            lines.append("")
        elif part == ERASE:
            lines[-1] = lines[-1][:column]
        else:
            lines[-1] = lines[-1][:column].ljust(column) + part + lines[-1][column + len(part) :]
            column += len(part)
    return lines


@pytest.fixture
def terminal(start: Start) -> Iterator[Terminal]:
    """Open a pseudo-terminal."""
    master, other = pty.openpty()
    try:
        yield Terminal(start, master, other)
    finally:
        os.close(master)
        os.close(other)
