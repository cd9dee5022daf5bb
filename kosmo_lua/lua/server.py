"""A process without threads that forks the processes of scripts, for programs that must not fork themselves.

A fork of a program that has threads copies locks that nobody will open again. So the program starts this
server once, as a fresh interpreter, and lets it fork. It supervises the children itself: the pipes to them
are its own. Each child has a line to the server, too: there the program hears the child's number and its
exit code, and when the program's end closes, the child is killed.
"""

import atexit
import gc
import json
import mmap
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from kosmo_lua.errors import Defect
from kosmo_lua.lua.child import Child, Work, be_child
from kosmo_lua.lua.groups import STARTING
from kosmo_lua.lua.limits import GRACE, Meter
from kosmo_lua.lua.process import Pipes, Process

_NUMBER = 4
"""Bytes of a number on the line."""

_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {} import {}; {}(int(sys.argv[2]))"


class Server:
    """The program's side: starts the server when the first child is wanted, and again when it has died.

    `main` is the function that the server runs, with the number of its socket: it calls `serve`.
    """

    def __init__(self, main: Callable[[int], None]) -> None:
        self._main = main
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def fork(self) -> "ServedProcess":
        """Let the server fork a child.

        Raises:
            Defect: the server cannot be started.
        """
        return self._fork() or self._fork() or _broken()

    def _fork(self) -> "ServedProcess | None":
        """Fork; None when the server has died. Its children are reported as crashed, each to its run."""
        with tempfile.TemporaryFile() as page:
            page.truncate(Meter.SIZE)
            meter = Meter(memoryview(mmap.mmap(page.fileno(), Meter.SIZE)).cast("d"))
            ours, theirs = Pipes.make()
            line, line_end = socket.socketpair()
            with line_end, self._lock, suppress(OSError):
                server = self._socket or self._start()
                socket.send_fds(server, [b"f"], [*theirs.all(), line_end.fileno(), page.fileno()])
            theirs.close()
        if pid := line.recv(_NUMBER):
            return ServedProcess(int.from_bytes(pid, "big"), ours, meter, line)
        ours.close()
        line.close()
        with self._lock:
            self.stop()
        return None

    def _start(self) -> socket.socket:
        self._socket, theirs = socket.socketpair()
        name = self._main.__name__
        start = _START.format(self._main.__module__, name, name)
        with theirs:
            command = [sys.executable, "-P", "-c", start, json.dumps(sys.path)]
            self._server = subprocess.Popen(  # noqa: S603  # our own interpreter
                [*command, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the program
            )
        atexit.register(self.stop)
        return self._socket

    def stop(self) -> None:
        """End the server and every child of it."""
        atexit.unregister(self.stop)
        if self._socket and self._server:
            self._socket.close()
            self._server.wait()
        self._socket = self._server = None


class ServedProcess(Process):
    """A child of the server."""

    def __init__(self, pid: int, pipes: Pipes, meter: Meter, line: socket.socket) -> None:
        super().__init__(pid, pipes, meter)
        self._line = line
        self._exit_code: int | None = None

    def wait(self) -> int:
        """Wait for the child."""
        if self._exit_code is None:
            # Without an answer the server is gone, and with it all its children.
            code = self._line.recv(_NUMBER) or _to_bytes(-signal.SIGKILL)
            self._exit_code = int.from_bytes(code, "big", signed=True)
        return self._exit_code

    def _end(self) -> int:
        self._line.shutdown(socket.SHUT_WR)
        return self.wait()

    def _close(self) -> None:
        """Close the pipes and the line, whereupon the server ends the child."""
        self._pipes.close()
        self._line.close()


def _broken() -> NoReturn:
    raise Defect(
        "the server of processes ends when it is started", hint="See what it wrote to stderr."
    )


def _to_bytes(number: int) -> bytes:
    return number.to_bytes(_NUMBER, "big", signed=True)


def serve(descriptor: int, work: Work, *, preload: Callable[[], None]) -> None:
    """Fork a child for the work whenever the program at this socket wants one, until it is gone.

    `preload` imports what children will need; it is called when there is nothing to do.
    """
    _Forker(socket.socket(fileno=descriptor), work).run(preload)


class _Forker:
    """The server's side."""

    def __init__(self, program: socket.socket, work: Work) -> None:
        self._program = program
        self._work = work
        self._lines: dict[int, tuple[int, socket.socket]] = {}
        """Of each child, by the descriptor of its line: its number, and the line."""
        self._poll = select.poll()
        self._poll.register(program, select.POLLIN)
        self._wakeup, writer = os.pipe()
        os.set_blocking(writer, False)
        self._poll.register(self._wakeup, select.POLLIN)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self, preload: Callable[[], None] | None) -> None:
        while True:
            ready = self._poll.poll(0 if preload else None)
            if not ready and preload:
                preload()
                preload = None
                gc.freeze()  # a collection in a child would copy every page
            for descriptor, _ in ready:
                if descriptor == self._program.fileno():
                    if not self._accept():
                        return
                elif descriptor == self._wakeup:
                    self._reap()
                elif descriptor in self._lines:
                    os.kill(self._lines[descriptor][0], signal.SIGKILL)
                    self._poll.unregister(descriptor)

    def _accept(self) -> bool:
        """Fork a child; False when the program is gone, and with it its children."""
        word, descriptors, _, _ = socket.recv_fds(self._program, 1, 5)
        if not word:
            self._let_end()
            return False
        *pipes, line, page = descriptors
        pid = os.fork()
        if pid == 0:
            self._become_child(Pipes(*pipes), line, page)
        for descriptor in (*pipes, page):
            os.close(descriptor)
        connection = socket.socket(fileno=line)
        with suppress(OSError):  # the program has ended meanwhile, or the run
            connection.sendall(_to_bytes(pid))
        self._lines[line] = (pid, connection)
        self._poll.register(line, select.POLLIN)
        return True

    def _let_end(self) -> None:
        """Wait while the children end themselves and what they have started; kill those that cannot."""
        poll, end = select.poll(), time.monotonic() + STARTING + GRACE
        poll.register(self._wakeup, select.POLLIN)
        while self._lines and (left := end - time.monotonic()) > 0:
            if poll.poll(left * 1000):
                self._reap()
        for pid, _ in self._lines.values():
            os.kill(pid, signal.SIGKILL)

    def _become_child(self, pipes: Pipes, line: int, page: int) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._program.close()
        os.close(line)
        for _, connection in self._lines.values():
            connection.close()
        meter = Meter(memoryview(mmap.mmap(page, Meter.SIZE)).cast("d"))
        be_child(self._work, Child(pipes, meter))

    def _reap(self) -> None:
        os.read(self._wakeup, 512)
        for descriptor, (pid, line) in [*self._lines.items()]:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._lines[descriptor]
                with suppress(KeyError):  # it was killed
                    self._poll.unregister(descriptor)
                with suppress(OSError), line:
                    line.sendall(_to_bytes(os.waitstatus_to_exitcode(status)))
