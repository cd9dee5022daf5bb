"""Program: a server that was started, its pipes, and the end of its whole process group."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

from kosmo_lua.config.command import Tell, starting
from kosmo_lua.errors import Unreachable
from kosmo_lua.mcp.server import Endpoint

TAIL = 4096
"""Bytes kept of what a server writes to stderr: the last ones."""
LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of a message: more would not fit into the memory of a script anyway."""

_GRACE = 1.0
"""Seconds between the end of stdin, SIGTERM and SIGKILL."""
_AFTER_KILL = 0.2
"""Seconds for the system to end what is killed; zombies that nobody waits for may stay for ever."""
_POLL = 0.01
_CONTROLS = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[^\x20-\x7e\xa0-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)
"""Colours and other commands to a terminal, control characters, and what turns the direction of a text."""


class Program:
    """A process that leads a group of its own, with its three pipes in the loop that runs."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self.group = process.pid
        self.tail = bytearray()
        """The end of what it has written to stderr."""

    async def connect(self) -> None:
        """Give the pipes to the loop."""
        loop = asyncio.get_running_loop()
        process = self._process
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self.stdout = asyncio.StreamReader(limit=LONGEST_LINE)
        reading = asyncio.StreamReaderProtocol(self.stdout)
        self._stdout, _ = await loop.connect_read_pipe(lambda: reading, process.stdout)
        self._stderr, self._draining = await loop.connect_read_pipe(
            lambda: _Tail(self.tail), process.stderr
        )
        # Only this protocol of asyncio can wait until there is room in the pipe; it reads nothing.
        writing = asyncio.StreamReaderProtocol(asyncio.StreamReader())
        self._stdin, _ = await loop.connect_write_pipe(lambda: writing, process.stdin)
        self.stdin = asyncio.StreamWriter(self._stdin, writing, None, loop)

    @property
    def status(self) -> int | None:
        """Its exit status, the negative number of a signal, or None while it runs."""
        return self._process.poll()

    async def has_ended(self, seconds: float) -> bool:
        """Wait for its end for so many seconds; tell whether it came.

        The end of its output is no sign: a process that it has started may hold the pipe.
        """
        return await _within(seconds, lambda: self.status is not None)

    def hang_up(self) -> None:
        """Read no more of its output."""
        self._stdout.close()

    async def words(self) -> None:
        """Wait a moment for the last of what it says on stderr."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._draining.ended.wait(), _GRACE / 5)

    async def end(self) -> None:
        """End its whole group: the end of stdin, a second later SIGTERM, a second later SIGKILL.

        Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#shutdown
        """
        if not self._stdin.is_closing():
            self._stdin.abort()
        await self.has_ended(_GRACE)
        for number, seconds in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, _AFTER_KILL)):
            if not self._is_there():
                break
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.group, number)
            await _within(seconds, lambda: not self._is_there())
        self.hang_up()
        self._stderr.close()
        await asyncio.sleep(0)  # the transports let go of the pipes

    def kill(self) -> None:
        """End its whole group at once, when nobody has spoken to it."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, signal.SIGKILL)
        self._process.communicate()

    def _is_there(self) -> bool:
        """Whether a process of the group is left: it or one that it has started."""
        if self.status is None:
            return True
        try:
            os.killpg(self.group, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # macOS, of a group of zombies
            return False
        return True


def start(endpoint: Endpoint, tell: Tell) -> Program:
    """Start the program of a server; `tell` learns its process group before anything else happens.

    Raises:
        Unreachable: it cannot be started.
    """
    program = None
    try:
        with starting(tell):
            program = Program(_started(endpoint))
            tell(program.group, True)
        _lift_memory_limit(program.group)
    except BaseException:  # Ctrl-C, most likely: nobody else would end it
        if program:
            program.kill()
            with suppress(OSError):  # nobody listens any more
                tell(program.group, False)
        raise
    return program


def _started(endpoint: Endpoint) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603  # what the user has configured, and trusted
            endpoint.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(endpoint.env),
            cwd=endpoint.cwd,
            bufsize=0,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise _not_started(endpoint, error) from None


def _lift_memory_limit(pid: int) -> None:
    """Give a server the memory that the process of the script may not have: it would inherit that limit."""
    if sys.platform != "linux":
        return
    import resource  # noqa: PLC0415  # not on Windows

    with suppress(OSError, ValueError):  # it has ended
        _, most = resource.prlimit(pid, resource.RLIMIT_DATA)
        resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))


def _not_started(endpoint: Endpoint, error: OSError | ValueError) -> Unreachable:
    program = endpoint.command[0]
    reason = getattr(error, "strerror", None) or str(error)
    if isinstance(error, FileNotFoundError) and endpoint.cwd and error.filename == endpoint.cwd:
        sentence = f"there is no folder {endpoint.cwd}"
        hint = "Correct `cwd` of the server."
    elif isinstance(error, FileNotFoundError):
        sentence = f"there is no program {program}"
        hint = "Install it, or correct `command` of the server; PATH is that of its environment."
    else:
        sentence, hint = f"{program}: {reason}", "Correct `command` of the server."
    message = f"the MCP server {endpoint.name} cannot be started: {sentence}"
    return Unreachable(message, hint=hint)


class _Tail(asyncio.Protocol):
    """Reads stderr for as long as it is open, so that a server never waits for room, and keeps the end."""

    def __init__(self, tail: bytearray) -> None:
        self._tail = tail
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._tail += data
        del self._tail[:-TAIL]

    def connection_lost(self, _error: Exception | None) -> None:
        self.ended.set()


def readable(written: bytes, length: int = 500) -> str:
    """Return the end of what a program has written as one line without control characters."""
    line = without_controls(written.decode("utf-8", "replace"))
    return line if len(line) <= length else "..." + line[-length:]


def without_controls(text: str) -> str:
    """Return a text as one line without control characters."""
    return " ".join(_CONTROLS.sub(" ", text).split())


async def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(_POLL)
    return True
