"""The process of a script as its supervisor has it: the pipes to it, its meter, and its end.

    journal     the child tells what happens, an event for each line
    orders      the child is given scripts to run, and answers to what it has asked, a line each
    control     the child is told to stop, whatever it does: a thread of its own listens

When the supervisor dies, the pipes close and the child ends itself.
"""

import json
import os
import select
import signal
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from kosmo_lua.lua.groups import Groups

if TYPE_CHECKING:  # start-up
    from kosmo_lua.lua.limits import Meter
    from kosmo_lua.lua.script import Script
    from kosmo_lua.values import Json


CLOSING = 5.0
"""Seconds that a child has to end the MCP servers it has started, which have less before they are killed."""


class Pipes:
    """The ends that one side holds."""

    def __init__(self, journal: int, orders: int, control: int) -> None:
        self.journal = journal
        self.orders = orders
        self.control = control

    @classmethod
    def make(cls) -> "tuple[Pipes, Pipes]":
        """Return the supervisor's ends and the child's.

        Raises:
            OSError: too many files are open.
        """
        ends = list[int]()
        try:
            for _ in range(3):
                ends += os.pipe()
        except OSError:
            for end in ends:
                os.close(end)
            raise
        journal, journal_end, orders_end, orders, control_end, control = ends
        return cls(journal, orders, control), cls(journal_end, orders_end, control_end)

    def close(self) -> None:
        """Close every one."""
        for pipe in self.all():
            if pipe >= 0:
                os.close(pipe)

    def close_orders(self) -> None:
        """Close the pipe for orders: there are no more."""
        if self.orders >= 0:
            os.close(self.orders)
        self.orders = -1

    def all(self) -> list[int]:
        """Return every one, in the order in which they are made."""
        return [self.journal, self.orders, self.control]


class Lines:
    """The lines that come through a pipe, each once it is whole."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._rest = bytearray()
        self._whole = deque[bytearray]()

    def read(self) -> bool:
        """Read what is there, or wait for it. False at the end of the pipe."""
        chunk = os.read(self._pipe, 1 << 16)
        self._rest += chunk
        if b"\n" in chunk:  # a long line is not copied again for each of its pieces
            *lines, self._rest = self._rest.split(b"\n")
            self._whole.extend(lines)
        return bool(chunk)

    def __iter__(self) -> Iterator[bytearray]:
        """Take one after another: where who has taken one raises, the others stay."""
        while self._whole:
            yield self._whole.popleft()


class Process(ABC):
    """A child in which scripts run, one after another."""

    def __init__(self, pid: int, pipes: Pipes, meter: "Meter") -> None:
        self.pid = pid
        self.meter = meter
        self.journal = pipes.journal
        self.lines = Lines(pipes.journal)
        self.alive = True
        """Whether the child can be given another script."""
        self.groups = Groups()
        """What the child has started and what has not ended: MCP servers, commands."""
        self._pipes = pipes
        self._scripts = 0

    def start(self, script: "Script") -> None:
        """Let the child run a script."""
        self._scripts += 1
        self.meter.reset()  # who looks before the child has begun must not see what the last one has used
        self.order(["run", *script.to_json()])

    def order(self, order: "list[Json]") -> None:
        """Write an order, or an answer."""
        line = memoryview(json.dumps(order).encode() + b"\n")
        with suppress(BrokenPipeError):  # the child has ended just now; its journal says so, too
            while line:
                line = line[os.write(self._pipes.orders, line) :]

    def stop(self, reason: str) -> None:
        """Let the child stop the script that runs now; the reason is one of `REASONS`."""
        word = bytes([REASONS.index(reason), self._scripts % 256])
        with suppress(BrokenPipeError):
            os.write(self._pipes.control, word)

    def end(self) -> int:
        """End the child if it has not ended, and return its exit code; negative is a signal's number."""
        self.alive = False
        return self._end()

    def close(self) -> None:
        """Let the child end: it has no script to run. What it has started gets time to end by itself."""
        if self.groups.running and self.alive:
            self.finish()
            self._hear_the_rest()
        self._close()
        self.groups.end()

    def finish(self) -> None:
        """Give no more orders: the child ends what it has started, and then itself."""
        self._pipes.close_orders()

    def _hear_the_rest(self) -> None:
        """Read the journal of a child that ends, in which nothing but its processes matters any more."""
        end, more = time.monotonic() + CLOSING, True
        poll = select.poll()
        poll.register(self.journal, select.POLLIN)
        while more and (left := end - time.monotonic()) > 0 and poll.poll(left * 1000):
            more = self.lines.read()
            for event in map(json.loads, self.lines):
                if event[0] == "process":
                    self.groups.heard(event[1], running=event[2])

    def _close(self) -> None:
        self._pipes.close()
        self.wait()

    @abstractmethod
    def wait(self) -> int:
        """Wait for a child that is about to end, and return its exit code."""

    @abstractmethod
    def _end(self) -> int: ...


REASONS = ("cpu_limit", "wall_limit", "interrupted")
"""Why a script is stopped from outside."""


class ForkedProcess(Process):
    """A child of this very process."""

    _exit_code: int | None = None

    def wait(self) -> int:
        """Wait for the child."""
        if self._exit_code is None:
            _, status = os.waitpid(self.pid, 0)
            self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code

    def _end(self) -> int:
        if self._exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
        return self.wait()
