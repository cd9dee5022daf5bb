"""The command at a pseudo-terminal: what somebody sees there, and types."""

import os
import pty
import selectors
import subprocess
import sys
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

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())


@pytest.fixture
def terminal(start: Start) -> Iterator[Terminal]:
    """Open a pseudo-terminal."""
    master, other = pty.openpty()
    try:
        yield Terminal(start, master, other)
    finally:
        os.close(master)
        os.close(other)
