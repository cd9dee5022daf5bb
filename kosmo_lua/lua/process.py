"""Forks the process in which a script runs, and is the script's side of what connects the two.

The child runs Lua, the adapters and HTTP. It tells what happens on a pipe, the journal, and the state of its
meter on a page of shared memory; it hears on two more what it shall do (stop) and what it may do (answers).
It ends itself when the supervisor dies: then its control pipe closes.

Start-up: only what both sides need is loaded before the fork. Lua is loaded by the child and the supervisor's
part by the parent, at the same time.

Only for a process without threads: a fork copies locks that other threads hold.
"""

import _thread
import json
import mmap
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from kosmo_lua.errors import CODES
from kosmo_lua.lua.limits import Meter

if TYPE_CHECKING:  # each side loads what it needs after the fork
    from types import FrameType

    from kosmo_lua.journal import Event
    from kosmo_lua.lua.sandbox import Sandbox
    from kosmo_lua.policy import Question
    from kosmo_lua.values import JsonObject

Work = Callable[["Child"], "JsonObject"]
"""What the child does: it returns the ending of the script."""


class Process(NamedTuple):
    """The supervisor's side: the child, and the ends of the pipes that belong to this process."""

    pid: int
    journal: int
    control: int
    answers: int
    wakeup: int
    """Readable when SIGINT or SIGTERM has arrived: one byte, its number."""
    meter: Meter


class Child:
    """The script's side: what the work in the child may use."""

    def __init__(self, journal: int, control: int, answers: int, meter: Meter) -> None:
        self._journal = journal
        self._control = control
        self._answers = answers
        self.meter = meter

    def record(self, event: "Event") -> None:
        """Write an event to the journal."""
        line = memoryview(json.dumps(event).encode() + b"\n")
        while line:
            line = line[os.write(self._journal, line) :]

    def ask(self, question: "Question") -> bool:
        """Let the supervisor ask, and wait for the answer."""
        self.record(["ask", *question])
        return os.read(self._answers, 1) == b"y"

    def obey(self, sandbox: "Sandbox") -> None:
        """Listen, in a thread of its own, to what the supervisor says about this sandbox."""
        _thread.start_new_thread(self._listen, (sandbox,))

    def _listen(self, sandbox: "Sandbox") -> None:
        while True:
            word = os.read(self._control, 1)
            if not word:  # the supervisor is gone: nobody would know what this process still sends
                os._exit(CODES["crash"].exit_status)
            sandbox.stop({b"c": "cpu_limit", b"w": "wall_limit"}[word])


@contextmanager
def forked(work: Work) -> Iterator[Process]:
    """Fork a child that does the work; at the end of the block it is no more."""
    meter = Meter(memoryview(mmap.mmap(-1, Meter.SIZE)).cast("d"))
    journal, journal_end = os.pipe()
    control_end, control = os.pipe()
    answers_end, answers = os.pipe()
    with _signals() as wakeup:
        pid = os.fork()
        if pid == 0:
            for fd in (journal, control, answers):
                os.close(fd)
            _be_child(work, Child(journal_end, control_end, answers_end, meter))
        for fd in (journal_end, control_end, answers_end):
            os.close(fd)
        try:
            yield Process(pid, journal, control, answers, wakeup, meter)
        finally:
            end(pid)
            for fd in (journal, control, answers):
                os.close(fd)


def end(pid: int) -> None:
    """End a child and wait for it; harmless if it has ended."""
    try:
        if os.waitpid(pid, os.WNOHANG) == (0, 0):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    except ChildProcessError:
        pass  # it was waited for before: the number may already be another process's


def _be_child(work: Work, child: Child) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        # They may reach the whole process group; the supervisor decides what they mean.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child.record(["end", work(child)])
    except BaseException as error:  # noqa: BLE001  # the last frame of the process: said in the envelope
        message = f"internal error: {type(error).__name__}: {error}"
        child.record(["end", {"error": message, "info": {"code": "internal", "type": "internal"}}])
    finally:
        os._exit(0)


@contextmanager
def _signals() -> Iterator[int]:
    """Turn SIGINT and SIGTERM into bytes on a pipe, whose reading end is returned."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    previous = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.signal(number, _nothing) for number in numbers}
    try:
        yield reader
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous)
        os.close(reader)
        os.close(writer)


def _nothing(number: int, frame: "FrameType | None") -> None:
    """The wake-up pipe has the number already."""
