"""Watches over the process of a script, and can end it whatever it does.

The supervisor runs no Lua, no adapter and no HTTP. From the journal and the meter it can make the envelope
of a child that it has killed, or that has killed itself.
"""

import json
import os
import signal
import time
from contextlib import suppress
from select import select
from typing import TYPE_CHECKING, NoReturn

from kosmo_lua.errors import Interrupted
from kosmo_lua.journal import Ending, Recorder, failed
from kosmo_lua.lua import clocks
from kosmo_lua.lua.limits import GRACE, Budget, Limits
from kosmo_lua.lua.process import Process, end
from kosmo_lua.policy import Ask, Question
from kosmo_lua.results import ErrorInfo

if TYPE_CHECKING:
    from types import FrameType


def supervise(process: Process, recorder: Recorder, limits: Limits, *, ask: Ask | None) -> Ending:
    """Return how the script ended. SIGINT and SIGTERM end it.

    `ask` answers the child's permission questions here, where the terminal is; the clock stands meanwhile.
    """
    return _Watch(process, recorder, limits, ask).run()


class _Watch:
    """The loop over one child."""

    def __init__(
        self, process: Process, recorder: Recorder, limits: Limits, ask: Ask | None
    ) -> None:
        self._process = process
        self._recorder = recorder
        self._limits = limits
        self._ask = ask
        self._budget = Budget(limits, process.meter, time.monotonic())
        self._clock = clocks.process(process.pid)
        self._rest = bytearray()

    def run(self) -> Ending:
        """Read the journal until it ends, a limit is exceeded, or a signal arrives."""
        limit, kill_at = None, float("inf")
        while True:
            now = time.monotonic()
            if not limit and (limit := self._budget.exceeded(now, self._clock())):
                _tell(self._process.control, limit[:1].encode())
                kill_at = now + GRACE
            if limit and now >= kill_at:
                return self._killed(self._exceeded(limit))
            patience = kill_at - now if limit else self._budget.patience(now, self._clock())
            try:
                ending = self._listen(patience)
            except _Stopped as stopped:
                ending = self._killed(_interrupted(stopped.number))
            if ending:
                return ending

    def _listen(self, patience: float) -> Ending | None:
        """Wait for the child and for signals; return the ending, if this was one."""
        ready, _, _ = select([self._process.journal, self._process.wakeup], [], [], patience)
        if self._process.wakeup in ready:
            return self._killed(_interrupted(os.read(self._process.wakeup, 1)[0]))
        if self._process.journal in ready and not self._read():
            return self._recorder.ending or self._crashed()
        return None

    def _read(self) -> bool:
        """Record what the child has written. False at its end."""
        chunk = os.read(self._process.journal, 1 << 16)
        self._rest += chunk
        lines = list[bytearray]()
        if b"\n" in chunk:  # a long line is not copied again for each of its pieces
            *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            event = json.loads(line)
            if event[0] == "ask":
                self._answer(Question(*event[1:]))
            else:
                self._recorder.record(event)
        return bool(chunk)

    def _answer(self, question: Question) -> None:
        self._budget.pause(time.monotonic())
        # While somebody is asked, a signal must reach the prompt as an exception.
        numbers = (signal.SIGINT, signal.SIGTERM)
        previous = {number: signal.signal(number, _stop) for number in numbers}
        try:
            yes = self._ask is not None and self._ask(question)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        self._budget.resume(time.monotonic())
        _tell(self._process.answers, b"y" if yes else b"n")

    def _killed(self, ending: Ending) -> Ending:
        """End the child, read what it had written, and return its ending: its own, if it had one."""
        end(self._process.pid)
        self._ask = None  # the questions of a process that is gone
        while self._read():
            pass
        return self._recorder.ending or ending

    def _exceeded(self, limit: str) -> Ending:
        return Ending.of(self._limits.exceeded(limit), memory=self._process.meter.peak)

    def _crashed(self) -> Ending:
        _, status = os.waitpid(self._process.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        message = f"the process of the script ended {how}"
        hint = "Look at call_log for what was sent."
        info = ErrorInfo("crash", "crash", effect="unknown", hint=hint)
        return Ending(error=message, info=info, memory=self._process.meter.peak)


class _Stopped(BaseException):
    """A signal arrived while somebody was asked."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _stop(number: int, frame: "FrameType | None") -> NoReturn:  # noqa: ARG001  # a handler's signature
    raise _Stopped(number)


def _tell(pipe: int, word: bytes) -> None:
    """Write to the child; it may have ended just now."""
    with suppress(BrokenPipeError):
        os.write(pipe, word)


def _interrupted(number: int) -> Ending:
    return failed(Interrupted(signal.Signals(number).name))
