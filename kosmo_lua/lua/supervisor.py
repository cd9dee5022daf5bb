"""Watches over the process of a script, and can end it whatever it does.

The supervisor runs no Lua, no adapter and no HTTP. From the journal and the meter it can make the envelope
of a child that it has killed, or that has killed itself.
"""

import json
import select
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from kosmo_lua.endings import Ending, failed
from kosmo_lua.errors import Interrupted
from kosmo_lua.journal import Recorder
from kosmo_lua.lua import clocks
from kosmo_lua.lua.groups import STARTING
from kosmo_lua.lua.limits import GRACE, Budget, Limits
from kosmo_lua.lua.process import Process
from kosmo_lua.results import ErrorInfo

if TYPE_CHECKING:
    from types import FrameType

    from kosmo_lua.lua.stop import Wakeup
    from kosmo_lua.policy import Ask


CANCELLING = 1.0
"""Seconds that a child has after a signal to tell MCP servers that nobody waits."""

HOST_MEMORY = 512 * 1024 * 1024
"""Bytes that a child may use beside Lua's: for the answer of a service, or a pattern that backtracks."""


class Supervisor:
    """Watches the scripts of one child, one after another.

    Arguments:
        process: the child.
        limits: what each script may use.
        ask: answers the child's permission questions here, while the clock stands.
        wakeup: tells when a signal has arrived that ends a script.
        keep: Ctrl-C stops the script and keeps the child, where that is possible.
        stopper: readable when another thread wants the script to end.
    """

    def __init__(
        self,
        process: Process,
        limits: Limits,
        *,
        ask: "Ask | None" = None,
        wakeup: "Wakeup | None" = None,
        keep: bool = False,
        stopper: int | None = None,
    ) -> None:
        self._process = process
        self._limits = limits
        self._ask = ask
        self._wakeup = wakeup
        self._keep = keep
        self._stopper = stopper
        _limit_memory(process.pid, limits.memory + HOST_MEMORY)
        self._clock = clocks.of_process(process.pid)
        self._quiet = False  # whether nobody wants to hear of the script any more
        self._poll = select.poll()  # not select, which knows no descriptor above 1023
        self._woken = wakeup.reader if wakeup else None
        for pipe in (process.journal, self._woken, stopper):
            if pipe is not None:
                self._poll.register(pipe, select.POLLIN)

    def watch(self, recorder: Recorder) -> Ending:
        """Read the journal until the script that was started last has ended; return how it ended."""
        self._begin(recorder)
        while True:
            now = time.monotonic()
            if not self._stopping and (limit := self._budget.exceeded(now, self._clock)):
                self._stop(limit)
            if now >= self._deadline:
                return self._killed()
            wanted = recorder.progress(self._process.meter.queued)
            try:
                ending = self._listen(min(self._patience(now), wanted))
            except _Stopped as stopped:
                ending = self._signalled(stopped.number)
            if ending:
                return ending

    def _begin(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._budget = Budget(self._limits, self._process.meter, time.monotonic())
        self._stopping: str | None = None
        self._deadline = float("inf")

    def _patience(self, now: float) -> float:
        return self._deadline - now if self._stopping else self._budget.patience(now)

    def _listen(self, patience: float) -> Ending | None:
        """Wait for the child and for signals; return the ending, if this was one."""
        ready = [pipe for pipe, _ in self._poll.poll(patience * 1000 + 1)]
        if self._wakeup and self._woken in ready and (number := self._wakeup.take()):
            return self._signalled(number)
        if self._stopper in ready:
            self._cancel()
            return self._killed(failed(Interrupted("stop")))
        if self._process.journal in ready and not self._read():
            return self._crashed()
        return self._recorder.ending

    def _read(self) -> bool:
        """Record what the child has written. False at its end."""
        more = self._process.lines.read()
        for line in self._process.lines:
            self._heard(json.loads(line))
        return more

    def _heard(self, event: "list[Any]") -> None:
        if event[0] == "process":
            self._process.groups.heard(event[1], running=event[2])
        elif self._quiet:
            return
        elif event[0] == "ask":
            self._answer(event[1:])
        else:
            self._recorder.record(event)

    def _answer(self, asked: "list[Any]") -> None:
        from kosmo_lua.policy import Question  # noqa: PLC0415  # only when the child asks

        self._budget.pause(time.monotonic())
        numbers = self._wakeup.numbers if self._wakeup else ()
        # While somebody is asked, a signal must reach the prompt as an exception.
        previous = {number: signal.signal(number, _raise) for number in numbers}
        try:
            yes = self._ask is not None and self._ask(Question(*asked))
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        self._budget.resume(time.monotonic())
        self._process.order(["answer", bool(yes)])

    def _stop(self, reason: str) -> None:
        """Let the script end by itself, with the line where it was; soon it is ended."""
        self._stopping = reason
        self._deadline = time.monotonic() + GRACE
        self._process.stop(reason)

    def _signalled(self, number: int) -> Ending | None:
        if number == signal.SIGINT and self._keep and not self._stopping:
            self._stop("interrupted")
            return None
        self._cancel()
        return self._killed(failed(Interrupted(signal.Signals(number).name)))

    def _cancel(self) -> None:
        """Let MCP servers that work on a call hear that nobody waits for it any more."""
        if self._stopping or not self._recorder.calls_a_server():
            return
        self._ask = None  # the script is over
        self._process.stop("interrupted")
        heard, end = True, time.monotonic() + CANCELLING
        while heard and self._recorder.calls_a_server():
            heard = self._hears(end)
        self._process.finish()
        while heard:
            heard = self._hears(end)

    def _hears(self, end: float) -> bool:
        """Record what the child writes next; False at its end, when it is too late, or at a signal."""
        poll = select.poll()  # of these two alone: who has stopped the script goes on doing so
        for pipe in (self._process.journal, self._woken):
            if pipe is not None:
                poll.register(pipe, select.POLLIN)
        left = max(end - time.monotonic(), 0.0)
        ready = [pipe for pipe, _ in poll.poll(left * 1000)]
        return ready == [self._process.journal] and self._read()

    def abandon(self) -> None:
        """End the child, with what it has started; nobody hears of the script any more."""
        self._quiet = True
        self._end()

    def _end(self) -> None:
        self._ask = None  # the script is over
        self._hear_of_starting()
        self._process.end()
        while self._read():
            pass
        self._process.groups.end()

    def _hear_of_starting(self) -> None:
        """Wait until a process that is just being started is known: else nobody would end it."""
        poll, end = select.poll(), time.monotonic() + STARTING
        poll.register(self._process.journal, select.POLLIN)
        while self._process.groups.is_starting and (left := end - time.monotonic()) > 0:
            if not poll.poll(left * 1000) or not self._read():
                return

    def _killed(self, ending: Ending | None = None) -> Ending:
        """End the child, read what it had written, and return its ending: its own, if it had one."""
        self._end()
        own = self._recorder.ending
        if own is None or (ending and own.info and own.info.code == "interrupted"):
            return ending or self._stopped()  # the child does not know which signal it was
        return own

    def _stopped(self) -> Ending:
        """Return the ending of a script that did not end by itself when it was stopped."""
        if self._stopping in (None, "interrupted"):
            return failed(Interrupted("SIGINT"))
        limit = self._limits.exceeded(self._stopping)
        return Ending.of(limit, memory=self._process.meter.peak)

    def _crashed(self) -> Ending:
        code = self._process.wait()
        self._process.alive = False
        self._process.groups.end()
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        message = f"the process of the script ended {how}"
        hint = "Look at call_log for what was sent."
        info = ErrorInfo("crash", "crash", effect="unknown", hint=hint)
        crash = Ending(error=message, info=info, memory=self._process.meter.peak)
        return self._recorder.ending or crash


def _limit_memory(pid: int, size: int) -> None:
    """Limit what a process may allocate from now on, where the system can."""
    if sys.platform != "linux":
        return
    import resource  # noqa: PLC0415  # not on Windows

    # It may have ended, or a lower limit holds already.
    with suppress(OSError, ValueError, OverflowError):
        with open(f"/proc/{pid}/statm", "rb") as statm:
            used = int(statm.read().split()[5]) * resource.getpagesize()
        _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
        resource.prlimit(pid, resource.RLIMIT_DATA, (used + size, hard))


class _Stopped(BaseException):
    """A signal arrived while somebody was asked."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _raise(number: int, frame: "FrameType | None") -> NoReturn:  # noqa: ARG001  # a handler's signature
    raise _Stopped(number)
