"""Runs scripts in threads of this process, and ends them at their limits as far as a thread can be ended.

A script in Lua code stops within milliseconds. One inside a C function (a pathological pattern) or a
call that does not return cannot be stopped: then the run ends with its error, and the thread is left behind.
"""

import threading
import time
from typing import TYPE_CHECKING

from kosmo_lua.endings import Ending
from kosmo_lua.journal import Event, Recorder
from kosmo_lua.lua import clocks
from kosmo_lua.lua.limits import GRACE, Budget, Limits, Meter
from kosmo_lua.lua.namespace import Namespace
from kosmo_lua.lua.sandbox import Sandbox
from kosmo_lua.lua.script import Script
from kosmo_lua.policy import Ask, Question

if TYPE_CHECKING:
    from kosmo_lua.lua.namespace import Backend


class Watchdog:
    """One Lua state, and the scripts that run in it, one after another, each in a thread of its own."""

    def __init__(self, backend: "Backend", limits: Limits, ask: Ask | None) -> None:
        self.alive = True
        """Whether the Lua state can be used again: no thread was left behind in it."""
        self._ask = ask
        self._lock = threading.Lock()
        self._limits = limits
        self._meter = Meter([0.0] * Meter.NUMBERS)
        self._host = Namespace(backend, self._record, self._asked if ask else None)
        self._sandbox = Sandbox(watch=True)
        clock = clocks.own_thread()
        self._sandbox.connect(self._host, self._record, limits, self._meter, clock=clock)

    @property
    def queued(self) -> int:
        """The events that batches of the last script have taken."""
        return self._meter.queued

    def run(self, script: Script, recorder: Recorder) -> Ending:
        """Run a script and return its ending."""
        self._recorder = recorder
        self._meter.reset()
        self._budget = Budget(self._limits, self._meter, time.monotonic())
        thread = _Thread(self._sandbox, script)
        try:
            thread.start()
            while not thread.ended.is_set():
                now = time.monotonic()
                if limit := self._budget.exceeded(now, thread.clock):
                    return self._stop(thread, limit)
                thread.ended.wait(min(self._budget.patience(now), self._progress()))
        except BaseException:
            self._stop(thread, "wall_limit")  # the caller is leaving: nobody will see the ending
            raise
        return thread.result()

    def _stop(self, thread: "_Thread", limit: str) -> Ending:
        self._sandbox.stop(limit)
        if thread.ended.wait(GRACE):
            return thread.result()
        self.alive = False
        self._host.abandon()
        return Ending.of(self._limits.exceeded(limit), memory=self._meter.peak)

    def _record(self, event: Event) -> None:
        with self._lock:  # calls end on threads of their own
            self._recorder.record(event)

    def _progress(self) -> float:
        with self._lock:
            return self._recorder.progress(self._meter.queued)

    def _asked(self, question: Question) -> bool:
        """Ask, on the script's thread, while the clock stands."""
        self._budget.pause(time.monotonic())
        try:
            return self._ask is not None and self._ask(question)
        finally:
            self._budget.resume(time.monotonic())

    def close(self) -> None:
        """Close the connections that the scripts have made."""
        self._host.close()


class _Thread:
    """One script and its thread."""

    def __init__(self, sandbox: Sandbox, script: Script) -> None:
        self._sandbox = sandbox
        self._script = script
        self._ending: Ending | None = None
        self._failure: BaseException | None = None
        self.clock: clocks.Clock = float  # zero, until the thread has one
        # Not Thread.join: one that Ctrl-C interrupts takes the thread for ended, before Python 3.13.
        self.ended = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._work, name="kosmo-script", daemon=True).start()

    def _work(self) -> None:
        self.clock = clocks.thread()
        try:
            self._ending = Ending.of(self._sandbox.run(self._script))
        except BaseException as error:  # noqa: BLE001  # re-raised in the caller's thread
            self._failure = error
        finally:
            self.ended.set()

    def result(self) -> Ending:
        if self._failure:
            raise self._failure
        assert self._ending is not None, "the thread has ended"
        return self._ending
